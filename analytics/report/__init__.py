"""Reports from tasks' results: one document, rendered as a PDF and as slides with the same figures."""

from analytics.report.compose import compose
from analytics.report.model import Document, Rendered, Source
from analytics.report.pages.document import pdf
from analytics.report.slides.deck import pptx
from analytics.report.text import slug

ENGINE = "local:report@1"
LIMITS = (
    "Charts and tables show the first rows of long lists; the results and their files hold all of them.",
    "The report repeats what the results say; it does not check them against the data.",
)

__all__ = ["ENGINE", "LIMITS", "Document", "Rendered", "Source", "compose", "pdf", "pptx", "slug"]
