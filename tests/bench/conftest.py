from tests.sandbox.conftest import on_yarn as on_yarn
from tests.sandbox.conftest import yarn_door as yarn_door
