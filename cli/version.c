/*
 * version: which stint this is, and which Kubernetes answers. `--client` reads nothing and asks nobody.
 */
#include <stint/kube.h>

#include "cli/cli.h"
#include "cli/output/output.h"

static struct stint_json *server_version(struct stint_kube *kube, struct stint_error **err)
{
	const struct stint_kube_request request = {.path = "/version", .max_body_bytes = 65536};
	struct stint_kube_response response = {0};
	struct stint_json *version = NULL;
	if (stint_kube_call_wait(kube, &request, &response, err))
		version = stint_json_parse(response.body.data ? response.body.data : "", response.body.length, 0, err);
	stint_kube_response_free(&response);
	return version;
}

static int run(struct cli_context *ctx)
{
	stint_auto_json *document = stint_json_new_object();
	stint_json_set_string(stint_json_ensure_object(document, "client"), "version", STINT_VERSION);
	if (!cli_switch(ctx, "client")) {
		struct stint_kube *kube = cli_connect(ctx);
		struct stint_json *server = kube ? server_version(kube, &ctx->err) : NULL;
		if (server)
			stint_json_set_string(stint_json_ensure_object(document, "server"), "version",
				stint_json_string_or(stint_json_get(server, "gitVersion"), "unknown"));
		stint_json_free(server);
	}
	int exit_code = STINT_OK;
	if (!cli_print_object(ctx, document, NULL, &exit_code)) {
		const char *server = stint_json_string_at(document, "server", "version");
		fprintf(ctx->out, "stint %s\n", STINT_VERSION);
		if (server)
			fprintf(ctx->out, "Kubernetes %s\n", server);
	}
	/* The client's version stands there even when nobody answers. */
	return ctx->err ? cli_failed(ctx) : exit_code;
}

static const struct cli_flag flags[] = {
	{.name = "client", .type = CLI_SWITCH, .help = "this program's version alone; no cluster is asked"},
	{.name = NULL},
};

const struct cli_command cli_command_version = {
	.name = "version",
	.group = CLI_TOOLS,
	.summary = "Print the versions of stint and of the cluster",
	.examples = "stint version --client\n"
		    "stint version -o json",
	.flags = flags,
	.formats = CLI_FORMAT_TABLE | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH,
	.exits = CLI_EXIT(STINT_UNREACHABLE) | CLI_EXIT(STINT_FORBIDDEN),
	.no_project = true,
	.run = run,
};
