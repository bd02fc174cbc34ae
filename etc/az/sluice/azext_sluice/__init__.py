"""An extension of Azure's command line for clouds that a sluice serves.

Debian 12's azure-cli asks for azure.mgmt.network in the API version 2022-01-01. Its python3-azure
has only 2022-07-01, in a module without the version in its name, so that every `az network` command
ends before it has sent anything. _mend puts the two together; where they are together already,
which is any other az, it changes nothing.

A long-running command of the extension dns-resolver has a thread that imports requests while the main
one imports msrestazure, which imports requests too; Debian 12's Python then ends the command with
"partially initialized module". So both are imported here, before there is a thread; where
there is no msrestazure, which is any newer az, nothing is missing.

The commands are there because az loads an extension for the groups in which it has commands."""

import contextlib
import importlib
import importlib.util
import sys

from azure.cli.core import AzCommandsLoader
from azure.cli.core.commands import CliCommandType
from azure.cli.core.profiles import ResourceType, _shared
from knack.help_files import helps

for name in ("requests", "msrestazure.azure_operation"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

HAVE = "2022-07-01"
GROUPS = ("network sluice", "dns-resolver sluice")
for name in GROUPS:
    helps[name] = """
type: group
short-summary: The sluice behind this cloud.
"""
    helps[name + " show"] = """
type: command
short-summary: Show which server the commands of this cloud go to.
"""


def _mend():
    profile = _shared.AZURE_API_PROFILES["latest"]
    wanted = profile.get(ResourceType.MGMT_NETWORK)
    if not isinstance(wanted, str):
        return
    if importlib.util.find_spec("azure.mgmt.network.v" + wanted.replace("-", "_")):
        return
    import azure.mgmt.network.operations as operations
    name = "azure.mgmt.network.v%s.operations" % HAVE.replace("-", "_")
    sys.modules.setdefault(name, operations)
    profile[ResourceType.MGMT_NETWORK] = HAVE


def show(cmd):
    cloud = cmd.cli_ctx.cloud
    return {"cloud": cloud.name, "resourceManager": cloud.endpoints.resource_manager}


class SluiceCommandsLoader(AzCommandsLoader):
    def __init__(self, cli_ctx=None):
        _mend()
        super().__init__(cli_ctx=cli_ctx,
                         custom_command_type=CliCommandType(operations_tmpl="azext_sluice#{}"))

    def load_command_table(self, args):
        for name in GROUPS:
            with self.command_group(name) as group:
                group.custom_command("show", "show")
        return self.command_table

    def load_arguments(self, command):
        pass


COMMAND_LOADER_CLS = SluiceCommandsLoader
