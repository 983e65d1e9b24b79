"""Opening a file that somebody names: an ordinary one, or a refusal."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from services import checks
from services.errors import InvalidInput


def opened(path: Path, field: str) -> BinaryIO:
    """The file, open for reading.

    Raises `InvalidInput` for what is no file of its own: a link leads elsewhere, a pipe would be waited for, a device
    has no end. Raises `OSError` where it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            raise
    else:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
    raise InvalidInput(field, f"{checks.shortened(str(path))} is no ordinary file; give one, or its content")
