/*
 * kubeconfig_load: the entry points of configuration, the in-cluster case, and the life of a struct stint_kube_config.
 *
 * In a cluster the service account's token file is only named here: projected tokens rotate, and credentials.c reads the file again.
 */
#include "core/kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_ACCOUNT_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

void kube_wipe_free(char *secret)
{
	if (secret) {
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
}

struct stint_kube_config *stint_kube_config_new(void)
{
	struct stint_kube_config *config = stint_alloc(sizeof(*config));
	config->namespace_ = stint_strdup("default");
	return config;
}

static void exec_config_free(struct stint_kube_exec_config *exec)
{
	if (!exec) {
		return;
	}
	free(exec->command);
	stint_strings_free(exec->args);
	stint_strings_free(exec->env);
	free(exec->api_version);
	free(exec->install_hint);
	free(exec);
}

void stint_kube_config_free(struct stint_kube_config *config)
{
	if (!config) {
		return;
	}
	char *plain[] = {config->context, config->cluster, config->user, config->namespace_, config->origin, config->server,
		config->tls_server_name, config->proxy_url, config->ca_file, config->ca_data, config->cluster_info_config,
		config->client_certificate_file, config->client_certificate_data, config->client_key_file, config->token_file,
		config->username, config->impersonate_user, config->impersonate_uid};
	for (size_t i = 0; i < STINT_COUNT(plain); i++) {
		free(plain[i]);
	}
	kube_wipe_free(config->client_key_data);
	kube_wipe_free(config->token);
	kube_wipe_free(config->password);
	exec_config_free(config->exec);
	stint_strings_free(config->impersonate_groups);
	stint_strings_free(config->impersonate_extra);
	free(config);
}

void stint_kube_config_clear(struct stint_kube_config **config)
{
	stint_kube_config_free(*config);
	*config = NULL;
}

/* The namespace a pod runs in, as client-go finds it; NULL when nothing says so. */
static char *in_cluster_namespace(const char *folder)
{
	const char *set = getenv("POD_NAMESPACE");
	if (set && set[0]) {
		return stint_strdup(set);
	}
	stint_autofree char *path = stint_format("%s/namespace", folder);
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, 4096, NULL) || text.length == 0) {
		return NULL;
	}
	text.data[strcspn(text.data, " \t\r\n")] = '\0';
	return text.data[0] ? stint_buf_steal(&text) : NULL;
}

struct stint_kube_config *kube_config_in_cluster_at(const char *folder, struct stint_error **err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	stint_autofree char *token_file = stint_format("%s/token", folder);
	stint_autofree char *ca_file = stint_format("%s/ca.crt", folder);
	if (!host || !host[0] || !port || !port[0]) {
		stint_fail(err, STINT_UNREACHABLE, "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
		return NULL;
	}
	if (access(token_file, R_OK) != 0) {
		stint_fail(err, STINT_UNREACHABLE, "not in a cluster: %s cannot be read (is the service account's token mounted?)",
			token_file);
		return NULL;
	}
	struct stint_kube_config *config = stint_kube_config_new();
	bool ipv6 = strchr(host, ':') != NULL;
	config->origin = stint_strdup("in-cluster");
	config->in_cluster = true;
	config->server = stint_format("https://%s%s%s:%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
	config->token_file = stint_steal(&token_file);
	config->ca_file = access(ca_file, R_OK) == 0 ? stint_steal(&ca_file) : NULL;
	char *namespace_ = in_cluster_namespace(folder);
	if (namespace_) {
		free(config->namespace_);
		config->namespace_ = namespace_;
	}
	return config;
}

struct stint_kube_config *stint_kube_config_in_cluster(struct stint_error **err)
{
	return kube_config_in_cluster_at(SERVICE_ACCOUNT_FOLDER, err);
}

static void override_namespace(struct stint_kube_config *config, const struct stint_kube_config_options *options)
{
	if (config && options && options->namespace_ && options->namespace_[0]) {
		free(config->namespace_);
		config->namespace_ = stint_strdup(options->namespace_);
	}
}

struct stint_kube_config *stint_kube_config_load(const struct stint_kube_config_options *options, struct stint_error **err)
{
	struct kube_files files = {0};
	stint_auto_error *problem = NULL;
	struct stint_kube_config *config = NULL;
	if (kube_files_load(options, &files, &problem)) {
		config = kube_config_resolve(&files, options, err);
		kube_files_free(&files);
	} else if (problem) {
		stint_error_move(err, &problem);
	} else {
		config = stint_kube_config_in_cluster(NULL);
		if (!config) {
			stint_fail(err, STINT_UNREACHABLE,
				"no cluster is configured: there is no ~/.kube/config and KUBECONFIG is not set; try \"stint sandbox up\"");
			if (err) {
				memcpy((*err)->reason, STINT_KUBE_NO_CONFIG, sizeof(STINT_KUBE_NO_CONFIG));
			}
		}
	}
	override_namespace(config, options);
	return config;
}
