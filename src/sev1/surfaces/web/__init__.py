"""What people see: server-rendered pages that work without scripts, and are kept live by them.

A family of pages is one handler file (`incident.py`) and, where there is something to decide about what is shown, one
file of pure functions (`incident_view.py`). All changes go through the same commands as the API.
"""

from sev1.surfaces.web.routes import ROUTES
from sev1.surfaces.web.templating import TEMPLATES, configure_templates

__all__ = ["ROUTES", "TEMPLATES", "configure_templates"]
