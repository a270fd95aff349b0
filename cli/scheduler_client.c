/*
 * scheduler_client: see scheduler_client.h. Owns a configuration in which everything that is about the API server alone is taken out.
 */
#include "cli/scheduler_client.h"

#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

struct cli_scheduler_client {
	struct stint_kube_config config; /* texts borrowed from the API server's, but for these two */
	char *server, *ca;
	struct stint_kube *kube;
};

bool cli_scheduler_knows_caller(const struct stint_kube *kube)
{
	return !stint_kube_config_of(kube)->impersonate_user;
}

struct cli_scheduler_client *cli_scheduler_client_new(struct stint_kube *kube, const char *url, const struct stint_json *lease,
	const struct stint_kube_options *options, struct stint_error **err)
{
	if (!stint_starts_with(url, "https://")) {
		stint_fail(err, STINT_USAGE, "\"%s\" does not start with https://, and credentials are sent to nothing else", url);
		return NULL;
	}
	struct cli_scheduler_client *client = stint_alloc(sizeof *client);
	client->config = *stint_kube_config_of(kube);
	client->server = stint_strdup(url);
	for (size_t length = strlen(client->server); length && client->server[length - 1] == '/'; length--)
		client->server[length - 1] = '\0';
	client->ca = stint_strdup(stint_json_string_at(lease, "metadata", "annotations", "stint.dev/endpoint-ca"));
	struct stint_kube_config *config = &client->config;
	config->server = client->server;
	config->ca_data = client->ca;
	config->ca_file = config->tls_server_name = config->proxy_url = NULL;
	config->insecure = false;
	config->in_cluster = false;
	client->kube = stint_kube_new(stint_kube_loop(kube), config, options, err);
	if (client->kube)
		return client;
	cli_scheduler_client_free(client);
	return NULL;
}

void cli_scheduler_client_free(struct cli_scheduler_client *client)
{
	if (!client)
		return;
	stint_kube_free(client->kube);
	free(client->server);
	free(client->ca);
	free(client);
}

struct stint_kube *cli_scheduler_client_kube(const struct cli_scheduler_client *client)
{
	return client->kube;
}

const char *cli_scheduler_client_server(const struct cli_scheduler_client *client)
{
	return client->server;
}

char *cli_why_path(const char *project, const char *name)
{
	stint_auto_buf path = {0};
	stint_buf_puts(&path, "/v1/why/");
	stint_kube_escape(&path, project);
	stint_buf_putc(&path, '/');
	stint_kube_escape(&path, name);
	return stint_buf_steal(&path);
}

char *cli_why_proxy_path(const struct stint_json *lease, const char *path)
{
	const char *space = stint_json_string_at(lease, "metadata", "namespace"), *name = stint_json_string_at(lease, "metadata", "name");
	return stint_format("/api/v1/namespaces/%s/services/https:%s:https/proxy%s", space, name ? name : STINT_SCHEDULER_NAME, path);
}
