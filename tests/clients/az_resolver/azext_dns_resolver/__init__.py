"""A stand-in for az's extension dns-resolver, which no package has: it owns the group, and its commands are
made of the same parts (azure.cli.core.aaz). What is long-running is begun in a thread, which imports what it
needs, while the main thread imports what it wants to wait with."""

from azure.cli.core import AzCommandsLoader
from azure.cli.core.aaz import (AAZCommand, AAZCommandGroup, AAZDictArg, AAZHttpOperation, AAZResourceGroupNameArg,
                                AAZResourceLocationArg, AAZStrArg, register_command, register_command_group)

API_VERSION = "2022-07-01"


class Request(AAZHttpOperation):
    """One request about the resolver that the arguments name; what it is answered."""

    CLIENT_TYPE = "MgmtClient"
    error_format = "ODataV4Format"

    def __init__(self, ctx, method, body=None):
        super().__init__(ctx)
        self.verb, self.body = method, body

    def __call__(self, *args, **kwargs):
        """What is to be waited for."""
        session = self.client.send_request(request=self.make_request(), stream=False)
        if session.http_response.status_code not in (200, 201, 202, 204):
            return self.on_error(session.http_response)
        return self.client.build_lro_polling(
            self.ctx.args.no_wait, session, lambda answer: answer, self.on_error,
            lro_options={"final-state-via": "azure-async-operation"}, path_format_arguments=self.url_parameters)

    def at_once(self):
        session = self.client.send_request(request=self.make_request(), stream=False)
        if session.http_response.status_code != 200:
            return self.on_error(session.http_response)
        return self.deserialize_http_content(session)

    @property
    def url(self):
        return self.client.format_url(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/dnsResolvers/{name}",
            **self.url_parameters)

    @property
    def url_parameters(self):
        return {**self.serialize_url_param("subscription", self.ctx.subscription_id),
                **self.serialize_url_param("group", self.ctx.args.resource_group),
                **self.serialize_url_param("name", self.ctx.args.dns_resolver_name)}

    @property
    def query_parameters(self):
        return self.serialize_query_param("api-version", API_VERSION)

    @property
    def header_parameters(self):
        return {**self.serialize_header_param("Accept", "application/json"),
                **self.serialize_header_param("Content-Type", "application/json")}

    @property
    def method(self):
        return self.verb

    @property
    def content(self):
        return self.body


class About(AAZCommand):
    """A command about one resolver."""

    @classmethod
    def _build_arguments_schema(cls, *args, **kwargs):
        schema = super()._build_arguments_schema(*args, **kwargs)
        schema.resource_group = AAZResourceGroupNameArg(required=True)
        schema.dns_resolver_name = AAZStrArg(options=["-n", "--name", "--dns-resolver-name"], required=True)
        return schema


class Long(About):
    AZ_SUPPORT_NO_WAIT = True

    def _handler(self, command_args):
        super()._handler(command_args)
        return self.build_lro_poller(self.operations, lambda answer: self.last and self.shown())

    def operations(self):
        yield Request(self.ctx, *self.request())()

    last = True  # it is there afterwards

    def shown(self):
        return Request(self.ctx, "GET").at_once()


@register_command_group("dns-resolver")
class Group(AAZCommandGroup):
    """Private resolvers."""


@register_command("dns-resolver create")
class Create(Long):
    """Create a resolver."""

    @classmethod
    def _build_arguments_schema(cls, *args, **kwargs):
        schema = super()._build_arguments_schema(*args, **kwargs)
        schema.location = AAZResourceLocationArg(required=True)
        schema.id = AAZStrArg(options=["--id"], required=True, help="The network's id.")
        return schema

    def request(self):
        given = self.ctx.args
        return "PUT", {"location": given.location.to_serialized_data(),
                       "properties": {"virtualNetwork": {"id": given.id.to_serialized_data()}}}


@register_command("dns-resolver update")
class Update(Long):
    """Update a resolver: GET and PUT."""

    @classmethod
    def _build_arguments_schema(cls, *args, **kwargs):
        schema = super()._build_arguments_schema(*args, **kwargs)
        schema.tags = AAZDictArg(options=["--tags"], required=True)
        schema.tags.Element = AAZStrArg()
        return schema

    def request(self):
        return "PUT", dict(self.shown(), tags=self.ctx.args.tags.to_serialized_data())


@register_command("dns-resolver delete")
class Delete(Long):
    """Delete a resolver."""

    last = False

    def request(self):
        return "DELETE", None


@register_command("dns-resolver show")
class Show(About):
    """Show a resolver."""

    def _handler(self, command_args):
        super()._handler(command_args)
        return Request(self.ctx, "GET").at_once()


class ResolverCommandsLoader(AzCommandsLoader):
    def load_command_table(self, args):
        self.command_group_table[Group.AZ_NAME] = Group(cli_ctx=self.cli_ctx)
        for each in (Create, Update, Delete, Show):
            self.command_table[each.AZ_NAME] = each(loader=self)
        return self.command_table

    def load_arguments(self, command):
        pass


COMMAND_LOADER_CLS = ResolverCommandsLoader
