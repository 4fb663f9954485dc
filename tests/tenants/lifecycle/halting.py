"""The steps of the settings, one of which stands still before or after it has done its part.

Which one says HALT_AT, as `rows:after`; the file of HALT_FILE is there from then on.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from config.settings import base
from tenants.lifecycle.workflow import Act, Work


def __getattr__(name: str) -> Any:
    for kind, steps in base.TENANT_STEPS.items():
        for step, path in steps:
            if name == f"{kind}_{step.replace('-', '_')}":
                return _halting(step, import_string(path))
    raise AttributeError(name)


def _halting(step: str, act: Act) -> Act:
    def both(work: Work) -> None:
        _stand_still(f"{step}:before")
        act(work)
        _stand_still(f"{step}:after")

    both.is_one_commit = getattr(act, "is_one_commit", False)
    return both


def _stand_still(where: str) -> None:
    if os.environ.get("HALT_AT") == where:
        Path(os.environ["HALT_FILE"]).touch()
        time.sleep(600)
