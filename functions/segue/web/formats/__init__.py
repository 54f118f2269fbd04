"""Lists of songs as files that other programs read: which of them a caller wants, and how each is written.

Reading order: choosing (by the URL or the header ``Accept``), writing (JSON's songs as CSV, M3U8, JSPF, URIs).
"""

from segue.web.formats.choosing import PARAMETER, Format, response, wanted

__all__ = ["PARAMETER", "Format", "response", "wanted"]
