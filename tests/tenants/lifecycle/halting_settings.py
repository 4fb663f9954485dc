"""For a worker that is to be killed: as the suite's, with steps that may stand still."""

from config.settings.test import *  # noqa: F403 - settings build on one another
from config.settings.test import TENANT_STEPS

TENANT_STEPS = {
    kind: tuple(
        (name, f"tests.tenants.lifecycle.halting.{kind}_{name.replace('-', '_')}")
        for name, _ in steps
    )
    for kind, steps in TENANT_STEPS.items()
}
