"""Mail in files, as the demo keeps it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = (
    "import django; django.setup(); from django.core.mail import send_mail; "
    "send_mail('Hello', 'Text', None, ['a@example.org'])"
)


def test_filemail_writes_where_its_url_says(tmp_path: Path) -> None:
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "vpp_dashboard.settings",
        "VPP_ENVIRONMENT": "test",
        "EMAIL_URL": f"filemail://{tmp_path}",
    }

    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, check=True)

    assert "Subject: Hello" in next(tmp_path.iterdir()).read_text()
