/*
 * The sandbox put together: folder, certificates and kubeconfig, then the API, its server, the controllers and the virtual nodes on one
 * loop. Nothing is kept from an earlier run: every start makes a CA and a cluster of its own.
 */
#include <stint/sandbox.h>

#include "controllers/controllers.h"
#include "nodes/furnish.h"
#include "nodes/nodes.h"
#include "rest.h"

#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE_DAYS = 365, TOKEN_BYTES = 24 };

struct stint_sandbox {
	struct stint_api *api;
	struct hub *controllers;
	struct fleet *fleet;
	struct stint_server *server;
	size_t nodes; /* that it began with */
};

/* What a cluster proves itself and its admin with. */
struct identity {
	struct stint_certificate ca, server, admin;
	char token[65];
};

static bool make_identity(struct identity *identity, struct stint_error **err)
{
	static const char *const names[] = {"IP:127.0.0.1", "IP:10.96.0.1", "DNS:localhost", "DNS:kubernetes", "DNS:kubernetes.default",
		"DNS:kubernetes.default.svc", "DNS:kubernetes.default.svc.cluster.local", NULL};
	unsigned char secret[TOKEN_BYTES];

	stint_random_bytes(secret, sizeof(secret));
	stint_sha256_hex(secret, sizeof(secret), identity->token);
	return stint_certificate_issue(NULL, STINT_CERTIFICATE_CA, "stint sandbox", NULL, NULL, CERTIFICATE_DAYS, &identity->ca, err) &&
		stint_certificate_issue(
			&identity->ca, STINT_CERTIFICATE_SERVER, "kube-apiserver", NULL, names, CERTIFICATE_DAYS, &identity->server, err) &&
		stint_certificate_issue(
			&identity->ca, STINT_CERTIFICATE_CLIENT, "admin", "system:masters", NULL, CERTIFICATE_DAYS, &identity->admin, err);
}

static void free_identity(struct identity *identity)
{
	stint_certificate_free(&identity->ca);
	stint_certificate_free(&identity->server);
	stint_certificate_free(&identity->admin);
}

static bool write_in(const char *dir, const char *name, const char *text, mode_t mode, struct stint_error **err)
{
	stint_autofree char *path = stint_format("%s/%s", dir, name);

	return stint_file_write(path, text, strlen(text), mode, err);
}

static bool write_files(const char *dir, const struct identity *identity, int port, struct stint_error **err)
{
	stint_autofree char *kubeconfig = stint_format("apiVersion: v1\n"
						       "kind: Config\n"
						       "clusters:\n"
						       "- name: stint-sandbox\n"
						       "  cluster:\n"
						       "    server: https://127.0.0.1:%d\n"
						       "    certificate-authority: ca.crt\n"
						       "contexts:\n"
						       "- name: stint-sandbox\n"
						       "  context:\n"
						       "    cluster: stint-sandbox\n"
						       "    user: admin\n"
						       "current-context: stint-sandbox\n"
						       "users:\n"
						       "- name: admin\n"
						       "  user:\n"
						       "    client-certificate: admin.crt\n"
						       "    client-key: admin.key\n"
						       "    token: %s\n",
		port, identity->token);

	return write_in(dir, "ca.crt", identity->ca.certificate_pem, 0644, err) &&
		write_in(dir, "admin.crt", identity->admin.certificate_pem, 0644, err) &&
		write_in(dir, "admin.key", identity->admin.key_pem, 0600, err) && write_in(dir, "kubeconfig", kubeconfig, 0600, err);
}

/* Where programs that check client certificates themselves find the CA (contracts: why). */
static void publish_client_ca(struct stint_api *api, const char *ca_pem)
{
	struct stint_api_call call = {.kind = stint_api_kind(api, "v1", "ConfigMap"), .space = "kube-system", .manager = "kube-apiserver"};
	struct stint_json *map = stint_json_new_object();

	stint_json_set_string(stint_json_ensure_object(map, "metadata"), "name", "extension-apiserver-authentication");
	stint_json_set_string(stint_json_ensure_object(map, "data"), "client-ca-file", ca_pem);
	stint_api_create(api, &call, map, NULL, NULL);
}

static bool read_shapes(const struct stint_sandbox_options *options, struct node_shapes *shapes, struct stint_error **err)
{
	if (!options->shapes)
		return node_shapes_uniform(options->nodes, options->gpus, options->gpu_model, shapes, err);
	return node_shapes_parse(options->shapes_name, options->shapes, strlen(options->shapes), shapes, err);
}

/* Controllers and kubelets first: they see the nodes come. */
static bool populate(
	struct stint_sandbox *sandbox, const struct stint_sandbox_options *options, const char *ca_pem, struct stint_error **err)
{
	struct node_shapes shapes = {0};
	bool done;

	sandbox->controllers = controllers_new(sandbox->api, ca_pem);
	sandbox->fleet = fleet_new(sandbox->api);
	done = read_shapes(options, &shapes, err) && furnish_cluster(sandbox->api, node_shapes_gpus(&shapes), err) &&
		fleet_create_nodes(sandbox->api, &shapes, err);
	sandbox->nodes = node_shapes_total(&shapes);
	node_shapes_free(&shapes);
	return done;
}

static bool start(struct stint_sandbox *sandbox, const struct stint_sandbox_options *options, const struct identity *identity,
	struct stint_error **err)
{
	struct stint_server_options server = {
		.port = options->port,
		.certificate_pem = identity->server.certificate_pem,
		.key_pem = identity->server.key_pem,
		.client_ca_pem = identity->ca.certificate_pem,
		.token = identity->token,
	};

	publish_client_ca(sandbox->api, identity->ca.certificate_pem);
	if (!populate(sandbox, options, identity->ca.certificate_pem, err))
		return false;
	sandbox->server = stint_server_start(sandbox->api, &server, err);
	return sandbox->server && write_files(options->dir, identity, stint_server_port(sandbox->server), err);
}

struct stint_sandbox *stint_sandbox_start(
	struct stint_loop *loop, const struct stint_sandbox_options *options, const struct stint_logger *logger, struct stint_error **err)
{
	struct stint_sandbox *sandbox = stint_alloc(sizeof(*sandbox));
	struct identity identity = {0};
	bool started;

	sandbox->api = stint_api_new(loop, logger);
	started = stint_make_folders(options->dir, 0700, err) && make_identity(&identity, err) && start(sandbox, options, &identity, err);
	free_identity(&identity);
	if (started)
		return sandbox;
	stint_sandbox_stop(sandbox);
	return NULL;
}

int stint_sandbox_port(const struct stint_sandbox *sandbox)
{
	return stint_server_port(sandbox->server);
}

size_t stint_sandbox_nodes(const struct stint_sandbox *sandbox)
{
	return stint_store_count(sandbox->api->store, stint_api_kind(sandbox->api, "v1", "Node"));
}

bool stint_sandbox_nodes_ready(const struct stint_sandbox *sandbox)
{
	return fleet_node_count(sandbox->fleet) >= sandbox->nodes;
}

bool stint_sandbox_scheduler_leads(const struct stint_sandbox *sandbox)
{
	const struct stint_kind *kind = stint_api_kind(sandbox->api, "coordination.k8s.io/v1", "Lease");
	const struct stint_stored *stored = stint_store_get(sandbox->api->store, kind, "kube-system", "stint-scheduler");
	stint_auto_json *lease = stored ? stint_stored_parse(stored) : NULL;

	return *stint_json_string_or(stint_json_at(lease, "spec", "holderIdentity"), "") != '\0';
}

void stint_sandbox_stop(struct stint_sandbox *sandbox)
{
	if (!sandbox)
		return;
	fleet_free(sandbox->fleet);
	controllers_free(sandbox->controllers);
	stint_server_stop(sandbox->server);
	stint_api_free(sandbox->api);
	free(sandbox);
}
