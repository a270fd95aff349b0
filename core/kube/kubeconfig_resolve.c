/*
 * kubeconfig_resolve: turns one context of the merged kubeconfig into a struct stint_kube_config, and checks it.
 *
 * Every field is checked for its type here, once: a wrong one is an error that names cluster or user and field, never a field that is
 * quietly left out. Base64 data is decoded; files are only named, and read when a connection needs them.
 */
#include "core/kube/config.h"

#include <stdlib.h>
#include <string.h>

/* Where a field stands, for messages: user "dev" in /home/me/.kube/config. */
struct section {
	const struct kube_files *files;
	const char *kind;
	const char *name;
	const struct stint_json *body;
};

static bool bad_field(const struct section *section, const char *key, const char *must, struct stint_error **err)
{
	return stint_fail(
		err, STINT_USAGE, "%s: %s of %s \"%s\" must be %s", section->files->origin, key, section->kind, section->name, must);
}

static bool take_string(const struct section *section, const char *key, char **out, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(section->body, key);
	if (stint_json_type(value) == STINT_JSON_NULL) {
		return true;
	}
	const char *text = stint_json_string(value);
	if (!text) {
		return bad_field(section, key, "a text", err);
	}
	*out = text[0] ? stint_strdup(text) : NULL;
	return true;
}

static bool take_bool(const struct section *section, const char *key, bool *out, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(section->body, key);
	if (stint_json_type(value) != STINT_JSON_NULL && stint_json_type(value) != STINT_JSON_BOOL) {
		return bad_field(section, key, "true or false", err);
	}
	*out = stint_json_bool_or(value, false);
	return true;
}

/* Inline PEM. A NUL inside would cut the text short on its way to the TLS library, so it is refused. */
static bool take_data(const struct section *section, const char *key, char **out, struct stint_error **err)
{
	char *encoded = NULL;
	if (!take_string(section, key, &encoded, err)) {
		return false;
	}
	if (!encoded) {
		return true;
	}
	size_t length = 0;
	*out = stint_base64_decode(encoded, strlen(encoded), &length);
	kube_wipe_free(encoded);
	if (!*out || strlen(*out) != length) {
		return bad_field(section, key, "PEM text in base64", err);
	}
	return true;
}

static bool take_strings(const struct section *section, const char *key, char ***out, struct stint_error **err)
{
	const struct stint_json *list = stint_json_get(section->body, key);
	if (stint_json_type(list) == STINT_JSON_NULL) {
		return true;
	}
	if (stint_json_type(list) != STINT_JSON_ARRAY) {
		return bad_field(section, key, "a list of texts", err);
	}
	*out = stint_alloc((stint_json_count(list) + 1) * sizeof(**out));
	size_t count = 0;
	stint_json_each(item, list) {
		const char *text = stint_json_string(item);
		if (!text) {
			return bad_field(section, key, "a list of texts", err);
		}
		(*out)[count++] = stint_strdup(text);
	}
	return true;
}

/* as-user-extra: {key: [values]} becomes "key=value" pairs. */
static bool take_extra(const struct section *section, struct stint_kube_config *config, struct stint_error **err)
{
	const struct stint_json *extra = stint_json_get(section->body, "as-user-extra");
	size_t count = 0, capacity = 0;
	if (stint_json_type(extra) != STINT_JSON_NULL && stint_json_type(extra) != STINT_JSON_OBJECT) {
		return bad_field(section, "as-user-extra", "an object with lists of texts", err);
	}
	stint_json_each(values, extra) {
		if (stint_json_type(values) != STINT_JSON_ARRAY) {
			return bad_field(section, "as-user-extra", "an object with lists of texts", err);
		}
		stint_json_each(value, values) {
			const char *text = stint_json_string(value);
			if (!text) {
				return bad_field(section, "as-user-extra", "an object with lists of texts", err);
			}
			stint_grow(&config->impersonate_extra, &capacity, count + 2, sizeof(char *));
			config->impersonate_extra[count++] = stint_format("%s=%s", stint_json_key(values), text);
			config->impersonate_extra[count] = NULL;
		}
	}
	return true;
}

static bool take_exec_env(const struct section *section, struct stint_kube_exec_config *exec, struct stint_error **err)
{
	const struct stint_json *env = stint_json_get(section->body, "env");
	if (stint_json_type(env) != STINT_JSON_NULL && stint_json_type(env) != STINT_JSON_ARRAY) {
		return bad_field(section, "exec.env", "a list of name and value", err);
	}
	exec->env = stint_alloc((stint_json_count(env) + 1) * sizeof(char *));
	size_t count = 0;
	stint_json_each(item, env) {
		const char *name = stint_json_string_at(item, "name");
		const char *value = stint_json_string_at(item, "value");
		if (!name || !name[0] || strchr(name, '=')) {
			return bad_field(section, "exec.env", "a list of name and value", err);
		}
		exec->env[count++] = stint_format("%s=%s", name, value ? value : "");
	}
	return true;
}

static bool take_interactive(const struct section *section, struct stint_kube_exec_config *exec, struct stint_error **err)
{
	static const char *const modes[] = {"Never", "IfAvailable", "Always"};
	const char *mode = stint_json_string_at(section->body, "interactiveMode");
	bool v1 = strcmp(exec->api_version, "client.authentication.k8s.io/v1") == 0;
	if (!v1 && strcmp(exec->api_version, "client.authentication.k8s.io/v1beta1") != 0) {
		return bad_field(section, "exec.apiVersion", "client.authentication.k8s.io/v1 or v1beta1", err);
	}
	if (!mode && !v1) {
		exec->interactive = STINT_KUBE_EXEC_IF_AVAILABLE;
		return true;
	}
	for (size_t i = 0; mode && i < STINT_COUNT(modes); i++) {
		if (strcmp(mode, modes[i]) == 0) {
			exec->interactive = (unsigned)i;
			return true;
		}
	}
	return bad_field(section, "exec.interactiveMode", "Never, IfAvailable or Always", err);
}

static bool take_exec(const struct section *user, struct stint_kube_config *config, struct stint_error **err)
{
	const struct stint_json *body = stint_json_get(user->body, "exec");
	if (stint_json_type(body) == STINT_JSON_NULL) {
		return true;
	}
	struct section section = {user->files, user->kind, user->name, body};
	struct stint_kube_exec_config *exec = config->exec = stint_alloc(sizeof(*exec));
	if (stint_json_type(body) != STINT_JSON_OBJECT) {
		return bad_field(user, "exec", "an object", err);
	}
	if (!take_string(&section, "command", &exec->command, err) || !take_string(&section, "apiVersion", &exec->api_version, err) ||
		!take_string(&section, "installHint", &exec->install_hint, err) || !take_strings(&section, "args", &exec->args, err) ||
		!take_bool(&section, "provideClusterInfo", &exec->provide_cluster_info, err) || !take_exec_env(&section, exec, err)) {
		return false;
	}
	if (!exec->command) {
		return bad_field(user, "exec.command", "given", err);
	}
	if (!exec->api_version) {
		return bad_field(user, "exec.apiVersion", "given", err);
	}
	return take_interactive(&section, exec, err);
}

static bool take_user(const struct section *section, struct stint_kube_config *config, struct stint_error **err)
{
	const struct stint_json *provider = stint_json_get(section->body, "auth-provider");
	if (provider) {
		return stint_fail(err, STINT_USAGE,
			"%s: user \"%s\" has auth-provider \"%s\", which Kubernetes has removed: use an exec plugin instead",
			section->files->origin, section->name, stint_json_string_or(stint_json_get(provider, "name"), ""));
	}
	return take_string(section, "client-certificate", &config->client_certificate_file, err) &&
		take_data(section, "client-certificate-data", &config->client_certificate_data, err) &&
		take_string(section, "client-key", &config->client_key_file, err) &&
		take_data(section, "client-key-data", &config->client_key_data, err) &&
		take_string(section, "token", &config->token, err) && take_string(section, "tokenFile", &config->token_file, err) &&
		take_string(section, "username", &config->username, err) && take_string(section, "password", &config->password, err) &&
		take_string(section, "as", &config->impersonate_user, err) &&
		take_string(section, "as-uid", &config->impersonate_uid, err) &&
		take_strings(section, "as-groups", &config->impersonate_groups, err) && take_extra(section, config, err) &&
		take_exec(section, config, err);
}

static bool check_user(const struct section *section, const struct stint_kube_config *config, struct stint_error **err)
{
	bool certificate = config->client_certificate_file || config->client_certificate_data;
	bool key = config->client_key_file || config->client_key_data;
	if (certificate != key) {
		return stint_fail(err, STINT_USAGE, "%s: user \"%s\" has a client %s and no client %s: give both", section->files->origin,
			section->name, certificate ? "certificate" : "key", certificate ? "key" : "certificate");
	}
	if (!config->impersonate_user && (config->impersonate_uid || config->impersonate_groups || config->impersonate_extra)) {
		return stint_fail(err, STINT_USAGE,
			"%s: user \"%s\" impersonates groups, a uid or extra fields and no user: give \"as\" too", section->files->origin,
			section->name);
	}
	return true;
}

static void take_cluster_info(const struct section *section, struct stint_kube_config *config)
{
	stint_json_each(item, stint_json_get(section->body, "extensions")) {
		const char *name = stint_json_string_at(item, "name");
		const struct stint_json *extension = stint_json_get(item, "extension");
		if (name && strcmp(name, "client.authentication.k8s.io/exec") == 0 && extension) {
			free(config->cluster_info_config);
			config->cluster_info_config = stint_json_print(extension);
		}
	}
}

/* A server without a scheme is https when anything speaks for TLS, as client-go has it. */
static char *normal_server(const struct stint_kube_config *config)
{
	const char *server = config->server;
	bool tls = config->ca_file || config->ca_data || config->insecure || config->client_certificate_file ||
		config->client_certificate_data;
	char *url = strstr(server, "://") ? stint_strdup(server) : stint_format("%s://%s", tls ? "https" : "http", server);
	for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--) {
		url[length - 1] = '\0';
	}
	return url;
}

static bool check_cluster(const struct section *section, struct stint_kube_config *config, struct stint_error **err)
{
	if (!config->server) {
		return bad_field(section, "server", "given", err);
	}
	char *server = normal_server(config);
	free(config->server);
	config->server = server;
	bool http = stint_starts_with(server, "http://");
	if ((!http && !stint_starts_with(server, "https://")) || strpbrk(server, "?# \t\r\n@")) {
		return bad_field(section, "server", "a URL like https://host:port", err);
	}
	if (config->insecure && (config->ca_file || config->ca_data)) {
		return stint_fail(err, STINT_USAGE,
			"%s: cluster \"%s\" has a certificate authority and insecure-skip-tls-verify: remove one of them",
			section->files->origin, section->name);
	}
	const char *proxy = config->proxy_url;
	if (proxy && !stint_starts_with(proxy, "http://") && !stint_starts_with(proxy, "https://") &&
		!stint_starts_with(proxy, "socks5://")) {
		return bad_field(section, "proxy-url", "an http://, https:// or socks5:// URL", err);
	}
	return true;
}

static bool take_cluster(const struct section *section, struct stint_kube_config *config, struct stint_error **err)
{
	take_cluster_info(section, config);
	return take_string(section, "server", &config->server, err) &&
		take_string(section, "tls-server-name", &config->tls_server_name, err) &&
		take_string(section, "proxy-url", &config->proxy_url, err) &&
		take_string(section, "certificate-authority", &config->ca_file, err) &&
		take_data(section, "certificate-authority-data", &config->ca_data, err) &&
		take_bool(section, "insecure-skip-tls-verify", &config->insecure, err) &&
		take_bool(section, "disable-compression", &config->disable_compression, err);
}

/* asked: a person named it, and did not find it; else the file contradicts itself. */
static bool unknown_context(const struct kube_files *files, const char *name, bool asked, struct stint_error **err)
{
	stint_auto_buf names = {0};
	stint_json_each(entry, stint_json_get(files->root, "contexts")) {
		stint_buf_printf(&names, "%s%s", names.length ? ", " : "", stint_json_string_at(entry, "name"));
	}
	const char *known = names.length ? names.data : "none";
	if (!name && !names.length) {
		return stint_fail(err, STINT_USAGE,
			"%s has no contexts: name a kubeconfig that has one with --kubeconfig, or in KUBECONFIG", files->origin);
	}
	if (!name) {
		return stint_fail(
			err, STINT_USAGE, "%s has no current context: choose one with --context (there are: %s)", files->origin, known);
	}
	return stint_fail(
		err, asked ? STINT_NOT_FOUND : STINT_USAGE, "%s has no context \"%s\" (there are: %s)", files->origin, name, known);
}

static bool resolve(const struct kube_files *files, const struct stint_kube_config_options *options, struct stint_kube_config *config,
	struct stint_error **err)
{
	const char *name = options && options->context && options->context[0] ? options->context
									      : stint_json_string_at(files->root, "current-context");
	const struct stint_json *entry = name ? kube_files_entry(files, "contexts", name) : NULL;
	if (!entry) {
		return unknown_context(files, name, options && options->context && options->context[0], err);
	}
	config->context = stint_strdup(name);
	struct section fields = {files, "context", name, stint_json_get(entry, "context")};
	char *namespace_ = NULL;
	bool ok = take_string(&fields, "cluster", &config->cluster, err) && take_string(&fields, "user", &config->user, err) &&
		take_string(&fields, "namespace", &namespace_, err);
	if (namespace_) {
		free(config->namespace_);
		config->namespace_ = namespace_;
	}
	if (!ok) {
		return false;
	}
	struct section cluster = {files, "cluster", config->cluster ? config->cluster : "", NULL};
	entry = kube_files_entry(files, "clusters", cluster.name);
	cluster.body = stint_json_get(entry, "cluster");
	if (!entry) {
		return stint_fail(
			err, STINT_USAGE, "%s: context \"%s\" names cluster \"%s\", which is not there", files->origin, name, cluster.name);
	}
	struct section user = {files, "user", config->user ? config->user : "", NULL};
	entry = kube_files_entry(files, "users", user.name);
	user.body = stint_json_get(entry, "user");
	if (!entry && config->user) {
		return stint_fail(
			err, STINT_USAGE, "%s: context \"%s\" names user \"%s\", which is not there", files->origin, name, user.name);
	}
	return take_cluster(&cluster, config, err) && take_user(&user, config, err) && check_cluster(&cluster, config, err) &&
		check_user(&user, config, err);
}

struct stint_kube_config *kube_config_resolve(
	const struct kube_files *files, const struct stint_kube_config_options *options, struct stint_error **err)
{
	stint_auto_kube_config *config = stint_kube_config_new();
	config->origin = stint_strdup(files->origin);
	return resolve(files, options, config, err) ? stint_steal(&config) : NULL;
}
