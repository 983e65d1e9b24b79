"""One worker process: Dramatiq's worker over the ledger, in the foreground. Its supervisor is `runtime.worker`.

SIGTERM and SIGINT stop it in good order (bodies get STOP_GRACE_S, the rest is handed back); a second one at once.
"""

import os
import signal
import threading
from importlib import import_module

import dramatiq
import structlog

from models import migrate
from runtime.broker import ledger_broker
from services import workers
from services.log import configure
from settings import settings

log = structlog.get_logger(__name__)


def load_actors() -> None:
    """Import the modules that define the task types."""
    for module in settings().actor_modules:
        import_module(module)


def main() -> None:
    """Serve until asked to stop."""
    configure("worker")
    stop = threading.Event()
    signals = 0

    def asked(*_: object) -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            os._exit(0)  # in a hurry: what is running is rescued
        stop.set()

    migrate.wait_until_current()  # a signal ends the process here at once: it holds nothing yet
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    if workers.too_old():
        log.error("this code is too old for the ledger; deploy the newer release")
        return
    load_actors()
    broker = ledger_broker()
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(
        broker, queues=set(settings().worker_queues) or None, worker_threads=settings().worker_threads
    )
    worker.start()
    stop.wait()
    worker.stop(timeout=1_000)
    broker.close()
    # A body that did not leave in time must not keep the process alive
    os._exit(broker.process.exit_code if broker.process else os.EX_SOFTWARE)


if __name__ == "__main__":
    main()
