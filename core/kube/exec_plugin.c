/*
 * exec_plugin: runs a credential plugin and understands its answer.
 *
 * The plugin is spawned with the argv of the kubeconfig, never through a shell; it learns about the cluster from KUBERNETES_EXEC_INFO in
 * its own environment (ours is not touched), keeps our standard error, and our standard input only when it may be interactive. Its
 * output is bounded in size and time. The run lives on the loop: reading and reaping never block.
 */
#include "core/kube/exec_plugin.h"

#include "core/kube/config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MAX_OUTPUT_BYTES = 1024 * 1024,
	TIMEOUT_MS = 5 * 60 * 1000, /* a person may have to log in within a browser */
};

struct kube_plugin {
	const struct stint_kube_exec_config *exec;
	void (*done)(void *user, struct kube_plugin_credential *credential, struct stint_error **problem);
	void *user;
	pid_t pid;
	int output_fd;
	struct stint_watch_fd *watch;
	struct stint_child *child; /* NULL once reaped */
	struct stint_timer *timeout;
	struct stint_buf output;
	bool too_long, timed_out;
};

void kube_plugin_credential_free(struct kube_plugin_credential *credential)
{
	kube_wipe_free(credential->token);
	kube_wipe_free(credential->key_pem);
	free(credential->certificate_pem);
	*credential = (struct kube_plugin_credential){0};
}

/* ---- the protocol ---------------------------------------------------------------------------------------------------------- */

static void add_ca(struct stint_json *cluster, const struct stint_kube_config *config)
{
	stint_auto_buf file = {0};
	const char *pem = config->ca_data;
	if (!pem && config->ca_file && stint_buf_read_file(&file, config->ca_file, MAX_OUTPUT_BYTES, NULL)) {
		pem = file.data;
	}
	if (pem) {
		stint_autofree char *encoded = stint_base64_encode(pem, strlen(pem));
		stint_json_set_string(cluster, "certificate-authority-data", encoded);
	}
}

static void add_cluster(struct stint_json *spec, const struct stint_kube_config *config)
{
	struct stint_json *cluster = stint_json_ensure_object(spec, "cluster");
	stint_json_set_string(cluster, "server", config->server);
	if (config->tls_server_name) {
		stint_json_set_string(cluster, "tls-server-name", config->tls_server_name);
	}
	if (config->insecure) {
		stint_json_set_bool(cluster, "insecure-skip-tls-verify", true);
	}
	add_ca(cluster, config);
	if (config->proxy_url) {
		stint_json_set_string(cluster, "proxy-url", config->proxy_url);
	}
	if (config->disable_compression) {
		stint_json_set_bool(cluster, "disable-compression", true);
	}
	const char *extra = config->cluster_info_config;
	struct stint_json *parsed = extra ? stint_json_parse(extra, strlen(extra), 0, NULL) : NULL;
	if (parsed) {
		stint_json_set(cluster, "config", parsed);
	}
}

char *kube_plugin_exec_info(const struct stint_kube_config *config, bool interactive)
{
	stint_auto_json *info = stint_json_new_object();
	stint_json_set_string(info, "kind", "ExecCredential");
	stint_json_set_string(info, "apiVersion", config->exec->api_version);
	struct stint_json *spec = stint_json_ensure_object(info, "spec");
	if (config->exec->provide_cluster_info) {
		add_cluster(spec, config);
	}
	stint_json_set_bool(spec, "interactive", interactive);
	return stint_json_print(info);
}

static bool parse_status(const struct stint_kube_exec_config *exec, const struct stint_json *status, struct kube_plugin_credential *out,
	struct stint_error **err)
{
	const char *token = stint_json_string_at(status, "token");
	const char *certificate = stint_json_string_at(status, "clientCertificateData");
	const char *key = stint_json_string_at(status, "clientKeyData");
	const char *expires = stint_json_string_at(status, "expirationTimestamp");
	bool has_token = token && token[0];
	if (!has_token && !(certificate && key)) {
		return stint_fail(
			err, STINT_FORBIDDEN, "credential plugin %s gave neither a token nor a client certificate", exec->command);
	}
	if (!certificate != !key) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s gave a client certificate without a key, or the reverse",
			exec->command);
	}
	if (expires && !stint_time_parse(expires, strlen(expires), &out->expires_ms)) {
		return stint_fail(
			err, STINT_FORBIDDEN, "credential plugin %s gave an expirationTimestamp that is no RFC 3339 time", exec->command);
	}
	out->token = has_token ? stint_strdup(token) : NULL;
	out->certificate_pem = stint_strdup(certificate);
	out->key_pem = stint_strdup(key);
	return true;
}

static bool parse_credential(const struct stint_kube_exec_config *exec, const struct stint_json *root, struct kube_plugin_credential *out,
	struct stint_error **err)
{
	const char *kind = stint_json_string_at(root, "kind");
	const char *version = stint_json_string_at(root, "apiVersion");
	if (!kind || strcmp(kind, "ExecCredential") != 0 || !version) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s did not print an ExecCredential", exec->command);
	}
	if (strcmp(version, exec->api_version) != 0) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s speaks another apiVersion than the kubeconfig's %s",
			exec->command, exec->api_version);
	}
	return parse_status(exec, stint_json_get(root, "status"), out, err);
}

bool kube_plugin_parse(const struct stint_kube_exec_config *exec, const char *output, size_t length, struct kube_plugin_credential *out,
	struct stint_error **err)
{
	/* The parser's own sentence may quote the text, and the text may be a token: it is not passed on. */
	stint_auto_json *root = stint_json_parse(output, length, 0, NULL);
	bool fine = parse_credential(exec, root, out, err);
	stint_json_wipe(root);
	return fine;
}

/* ---- the process ----------------------------------------------------------------------------------------------------------- */

/* Ours, without what the plugin's own settings replace; the array and not the texts is the caller's, but for `info`. */
static char **environment(const struct stint_kube_exec_config *exec, char *info)
{
	size_t ours = 0, added = 0;
	while (environ[ours]) {
		ours++;
	}
	while (exec->env && exec->env[added]) {
		added++;
	}
	char **out = stint_alloc((ours + added + 2) * sizeof(*out));
	size_t count = 0;
	for (size_t i = 0; i < ours; i++) {
		size_t name_length = strcspn(environ[i], "=") + 1;
		bool replaced = strncmp(environ[i], info, name_length) == 0;
		for (size_t j = 0; j < added && !replaced; j++) {
			replaced = strncmp(environ[i], exec->env[j], name_length) == 0;
		}
		if (!replaced) {
			out[count++] = environ[i];
		}
	}
	for (size_t i = 0; i < added; i++) {
		out[count++] = exec->env[i];
	}
	out[count] = info;
	return out;
}

static char **arguments(const struct stint_kube_exec_config *exec)
{
	size_t count = 0;
	while (exec->args && exec->args[count]) {
		count++;
	}
	char **argv = stint_alloc((count + 2) * sizeof(*argv));
	argv[0] = exec->command;
	for (size_t i = 0; i < count; i++) {
		argv[i + 1] = exec->args[i];
	}
	return argv;
}

static int spawn(const struct stint_kube_config *config, bool interactive, int output_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	if (!interactive) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	}
	posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	/* The loop blocks signals in this process; the plugin starts with a clean mask. */
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	stint_autofree char *value = kube_plugin_exec_info(config, interactive);
	stint_autofree char *info = stint_format("KUBERNETES_EXEC_INFO=%s", value);
	stint_autofree char **env = environment(config->exec, info);
	stint_autofree char **argv = arguments(config->exec);
	int problem = posix_spawnp(pid, config->exec->command, &actions, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return problem;
}

static void read_output(struct kube_plugin *plugin)
{
	char piece[4096];
	for (;;) {
		ssize_t got = read(plugin->output_fd, piece, sizeof(piece));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			if (got == 0) {
				stint_fd_unwatch(plugin->watch);
				plugin->watch = NULL;
			}
			break;
		}
		if (plugin->output.length + (size_t)got > MAX_OUTPUT_BYTES) {
			plugin->too_long = true;
			stint_fd_unwatch(stint_steal(&plugin->watch)); /* it may be a grandchild that goes on writing */
			if (plugin->child) /* once reaped, the number may be another process's */
				kill(plugin->pid, SIGKILL);
			break;
		}
		stint_buf_add(&plugin->output, piece, (size_t)got);
	}
	explicit_bzero(piece, sizeof(piece));
}

static void output_ready(void *user, int fd, int events)
{
	(void)fd;
	(void)events;
	read_output(user);
}

static bool judge(struct kube_plugin *plugin, int wait_status, struct kube_plugin_credential *out, struct stint_error **err)
{
	const char *command = plugin->exec->command;
	if (plugin->too_long) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s printed more than 1 MiB", command);
	}
	if (plugin->timed_out) {
		return stint_fail(err, STINT_TIMEOUT, "credential plugin %s did not end within five minutes", command);
	}
	if (WIFSIGNALED(wait_status)) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s was ended by signal %d", command, WTERMSIG(wait_status));
	}
	if (WEXITSTATUS(wait_status) != 0) {
		return stint_fail(err, STINT_FORBIDDEN, "credential plugin %s failed with exit code %d", command, WEXITSTATUS(wait_status));
	}
	return kube_plugin_parse(plugin->exec, plugin->output.data ? plugin->output.data : "", plugin->output.length, out, err);
}

static void child_ended(void *user, pid_t pid, int wait_status)
{
	(void)pid;
	struct kube_plugin *plugin = user;
	plugin->child = NULL;
	stint_timer_stop(plugin->timeout);
	/* A grandchild may keep the pipe open: what the plugin itself wrote is there by now, so nobody waits for the end of file. */
	read_output(plugin);
	struct kube_plugin_credential credential = {0};
	stint_auto_error *problem = NULL;
	judge(plugin, wait_status, &credential, &problem);
	plugin->done(plugin->user, problem ? NULL : &credential, &problem);
	kube_plugin_credential_free(&credential);
}

static void timed_out(void *user)
{
	struct kube_plugin *plugin = user;
	plugin->timed_out = true;
	kill(plugin->pid, SIGKILL);
}

static bool may_interact(const struct stint_kube_exec_config *exec, bool stdin_in_use, bool *interactive, struct stint_error **err)
{
	bool available = !stdin_in_use && isatty(STDIN_FILENO);
	*interactive = exec->interactive != STINT_KUBE_EXEC_NEVER && available;
	if (exec->interactive == STINT_KUBE_EXEC_ALWAYS && !available) {
		return stint_fail(
			err, STINT_FORBIDDEN, "credential plugin %s needs a terminal on standard input, and there is none", exec->command);
	}
	return true;
}

struct kube_plugin *kube_plugin_start(struct stint_loop *loop, const struct stint_kube_config *config, bool stdin_in_use,
	void (*done)(void *user, struct kube_plugin_credential *credential, struct stint_error **problem), void *user,
	struct stint_error **err)
{
	const struct stint_kube_exec_config *exec = config->exec;
	bool interactive;
	int ends[2];
	if (!may_interact(exec, stdin_in_use, &interactive, err)) {
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		stint_fail_errno(err, errno, "credential plugin %s: no pipe", exec->command);
		return NULL;
	}
	struct kube_plugin *plugin = stint_alloc(sizeof(*plugin));
	*plugin = (struct kube_plugin){.exec = exec, .done = done, .user = user, .output_fd = ends[0], .pid = -1};
	int problem = spawn(config, interactive, ends[1], &plugin->pid);
	close(ends[1]);
	if (problem) {
		stint_fail(err, STINT_FORBIDDEN, "credential plugin %s cannot be started: %s%s%s", exec->command, strerror(problem),
			exec->install_hint ? ". " : "", exec->install_hint ? exec->install_hint : "");
		plugin->pid = -1;
		kube_plugin_free(plugin);
		return NULL;
	}
	fcntl(plugin->output_fd, F_SETFL, O_NONBLOCK);
	plugin->child = stint_child_watch(loop, plugin->pid, child_ended, plugin, err);
	if (!plugin->child) {
		kube_plugin_free(plugin);
		return NULL;
	}
	plugin->watch = stint_fd_watch(loop, plugin->output_fd, STINT_READ, output_ready, plugin);
	plugin->timeout = stint_timer_new(loop, timed_out, plugin);
	stint_timer_set(plugin->timeout, TIMEOUT_MS);
	return plugin;
}

void kube_plugin_free(struct kube_plugin *plugin)
{
	if (!plugin) {
		return;
	}
	if (plugin->child) {
		stint_child_unwatch(plugin->child);
		kill(plugin->pid, SIGKILL);
		waitpid(plugin->pid, NULL, 0);
	}
	stint_fd_unwatch(plugin->watch);
	stint_close_fd(&plugin->output_fd);
	stint_timer_free(plugin->timeout);
	if (plugin->output.data) {
		explicit_bzero(plugin->output.data, plugin->output.capacity);
	}
	stint_buf_free(&plugin->output);
	free(plugin);
}
