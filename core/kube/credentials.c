/*
 * credentials: keeps the current identity and renews it: token files about once a minute, plugin credentials at their expiry, all of
 * them (and certificate files) after the server has refused them.
 *
 * Owns the current identity, the run of a plugin and the list of those who wait for it: however many requests wait, the plugin runs
 * once. Files are read synchronously: they are small and local. A token is never sent over plain http, as with kubectl.
 */
#include "core/kube/credentials.h"

#include "core/kube/config.h"
#include "core/kube/exec_plugin.h"

#include <stdlib.h>
#include <string.h>

enum {
	TOKEN_FILE_AGE_MS = 60 * 1000,
	MAX_FILE_BYTES = 1024 * 1024,
};

struct kube_credentials {
	struct stint_loop *loop;
	const struct stint_kube_config *config;
	const struct stint_logger *logger;
	bool stdin_in_use;
	struct kube_identity *current;
	int64_t expires_ms; /* of current: wall clock; 0: never */
	struct kube_plugin *plugin;
	struct stint_timer *reap; /* frees a plugin outside of its own handler */
	struct kube_identity_waiter *waiters;
};

struct kube_identity *kube_identity_hold(struct kube_identity *identity)
{
	identity->references++;
	return identity;
}

void kube_identity_release(struct kube_identity *identity)
{
	if (!identity || --identity->references > 0) {
		return;
	}
	kube_wipe_free(identity->authorization);
	kube_wipe_free(identity->key_pem);
	free(identity->ca_pem);
	free(identity->certificate_pem);
	free(identity);
}

/* ---- making an identity ---------------------------------------------------------------------------------------------------- */

static bool read_text_file(const char *what, const char *path, char **out, struct stint_error **err)
{
	struct stint_buf text = {0};
	if (!stint_buf_read_file(&text, path, MAX_FILE_BYTES, err)) {
		stint_buf_free(&text);
		if (err && *err) { /* a file that a configuration names is no answer about what was asked for */
			(*err)->code = STINT_USAGE;
		}
		return stint_fail_wrap(err, "the %s that the kubeconfig names", what);
	}
	*out = stint_buf_steal(&text);
	return true;
}

static bool take_pem(const char *what, const char *data, const char *file, char **out, struct stint_error **err)
{
	if (data) {
		*out = stint_strdup(data);
		return true;
	}
	return !file || read_text_file(what, file, out, err);
}

/* A header must stay one line: a token with a control character inside would smuggle in another. */
static bool set_authorization(struct kube_identity *identity, const char *scheme, const char *secret, struct stint_error **err)
{
	for (const char *at = secret; *at; at++) {
		if ((unsigned char)*at < 0x20 || (unsigned char)*at == 0x7f) {
			return stint_fail(err, STINT_USAGE, "the token has a control character inside: is its file or base64 broken?");
		}
	}
	identity->authorization = stint_format("Authorization: %s %s", scheme, secret);
	return true;
}

static bool set_token_file(const struct kube_credentials *credentials, struct kube_identity *identity, struct stint_error **err)
{
	char *token = NULL;
	if (!read_text_file("token file", credentials->config->token_file, &token, err)) {
		return false;
	}
	size_t start = strspn(token, " \t\r\n"), length = strlen(token);
	while (length > start && strchr(" \t\r\n", token[length - 1])) {
		token[--length] = '\0';
	}
	bool ok = length > start ? set_authorization(identity, "Bearer", token + start, err)
				 : stint_fail(err, STINT_FORBIDDEN, "token file %s is empty", credentials->config->token_file);
	kube_wipe_free(token);
	return ok;
}

static bool set_basic(const struct stint_kube_config *config, struct kube_identity *identity, struct stint_error **err)
{
	char *pair = stint_format("%s:%s", config->username, config->password ? config->password : "");
	char *encoded = stint_base64_encode(pair, strlen(pair));
	bool ok = set_authorization(identity, "Basic", encoded, err);
	kube_wipe_free(pair);
	kube_wipe_free(encoded);
	return ok;
}

/* Everything but what a plugin adds. *expires_ms is set when it has to be read again. */
static struct kube_identity *make_identity(const struct kube_credentials *credentials, int64_t *expires_ms, struct stint_error **err)
{
	const struct stint_kube_config *config = credentials->config;
	struct kube_identity *identity = stint_alloc(sizeof(*identity));
	identity->references = 1;
	bool ok = (config->insecure || take_pem("certificate authority", config->ca_data, config->ca_file, &identity->ca_pem, err)) &&
		take_pem("client certificate", config->client_certificate_data, config->client_certificate_file, &identity->certificate_pem,
			err) &&
		take_pem("client key", config->client_key_data, config->client_key_file, &identity->key_pem, err);
	if (ok && stint_starts_with(config->server, "https://")) {
		if (config->token_file) {
			ok = set_token_file(credentials, identity, err);
			*expires_ms = stint_now_ms() + TOKEN_FILE_AGE_MS;
		} else if (config->token) {
			ok = set_authorization(identity, "Bearer", config->token, err);
		} else if (config->username) {
			ok = set_basic(config, identity, err);
		}
	}
	if (!ok) {
		kube_identity_release(identity);
		return NULL;
	}
	return identity;
}

/* ---- who waits ------------------------------------------------------------------------------------------------------------- */

struct kube_credentials *kube_credentials_new(
	struct stint_loop *loop, const struct stint_kube_config *config, const struct stint_logger *logger, bool stdin_in_use)
{
	struct kube_credentials *credentials = stint_alloc(sizeof(*credentials));
	*credentials = (struct kube_credentials){.loop = loop, .config = config, .logger = logger, .stdin_in_use = stdin_in_use};
	return credentials;
}

void kube_credentials_free(struct kube_credentials *credentials)
{
	if (!credentials) {
		return;
	}
	kube_plugin_free(credentials->plugin);
	stint_timer_free(credentials->reap);
	kube_identity_release(credentials->current);
	free(credentials);
}

static void append_waiter(struct kube_credentials *credentials, struct kube_identity_waiter *waiter)
{
	struct kube_identity_waiter **at = &credentials->waiters;
	while (*at) {
		at = &(*at)->next;
	}
	*at = waiter;
	waiter->next = NULL;
	waiter->waiting = true;
}

static void answer_all(struct kube_credentials *credentials, const struct stint_error *problem)
{
	struct kube_identity *identity = problem ? NULL : kube_identity_hold(credentials->current);
	/* A handler may cancel others or ask again: the list is taken one by one, up to the last that was there. */
	struct kube_identity_waiter *last = credentials->waiters;
	while (last && last->next) {
		last = last->next;
	}
	for (bool more = last != NULL; more && credentials->waiters;) {
		struct kube_identity_waiter *waiter = credentials->waiters;
		credentials->waiters = waiter->next;
		waiter->waiting = false;
		more = waiter != last;
		waiter->ready(waiter->user, identity, problem);
	}
	kube_identity_release(identity);
}

static void set_current(struct kube_credentials *credentials, struct kube_identity *identity, int64_t expires_ms)
{
	kube_identity_release(credentials->current);
	credentials->current = identity;
	credentials->expires_ms = expires_ms;
}

static bool adopt(struct kube_credentials *credentials, struct kube_plugin_credential *given, struct stint_error **err)
{
	int64_t ignored = 0;
	struct kube_identity *identity = make_identity(credentials, &ignored, err);
	if (!identity) {
		return false;
	}
	if (given->token && !identity->authorization && !set_authorization(identity, "Bearer", given->token, err)) {
		kube_identity_release(identity);
		return false;
	}
	if (given->certificate_pem && !identity->certificate_pem) {
		identity->certificate_pem = stint_steal(&given->certificate_pem);
		identity->key_pem = stint_steal(&given->key_pem);
	}
	set_current(credentials, identity, given->expires_ms);
	return true;
}

static void reap_plugin(void *user)
{
	struct kube_credentials *credentials = user;
	kube_plugin_free(credentials->plugin);
	credentials->plugin = NULL;
	while (credentials->waiters && !credentials->plugin) { /* they came while the last answers were given */
		struct kube_identity_waiter *waiter = credentials->waiters;
		credentials->waiters = waiter->next;
		waiter->waiting = false;
		kube_credentials_get(credentials, waiter);
	}
}

static void plugin_done(void *user, struct kube_plugin_credential *given, struct stint_error **problem)
{
	struct kube_credentials *credentials = user;
	stint_auto_error *failed = NULL;
	if (!given) {
		stint_error_move(&failed, problem);
	} else {
		adopt(credentials, given, &failed);
	}
	if (!credentials->reap) {
		credentials->reap = stint_timer_new(credentials->loop, reap_plugin, credentials);
	}
	stint_timer_set(credentials->reap, 0);
	answer_all(credentials, failed);
}

/* True when current can be used as it is. A token file that cannot be read for a moment leaves the last good token in use. */
static bool renew_from_files(struct kube_credentials *credentials, struct stint_error **err)
{
	int64_t expires_ms = 0;
	stint_auto_error *problem = NULL;
	struct kube_identity *identity = make_identity(credentials, &expires_ms, &problem);
	if (identity) {
		set_current(credentials, identity, expires_ms);
		return true;
	}
	if (!credentials->current) {
		return stint_error_move(err, &problem);
	}
	stint_log(credentials->logger, STINT_LOG_WARN, "%s; going on with the former one", problem->message);
	credentials->expires_ms = stint_now_ms() + TOKEN_FILE_AGE_MS / 6;
	return true;
}

static bool uses_plugin(const struct stint_kube_config *config)
{
	return config->exec && !config->token && !config->token_file && !config->username && stint_starts_with(config->server, "https://");
}

void kube_credentials_get(struct kube_credentials *credentials, struct kube_identity_waiter *waiter)
{
	stint_auto_error *problem = NULL;
	bool fresh = credentials->current && (credentials->expires_ms == 0 || stint_now_ms() < credentials->expires_ms);
	if (!fresh && uses_plugin(credentials->config)) {
		if (!credentials->plugin) {
			credentials->plugin = kube_plugin_start(
				credentials->loop, credentials->config, credentials->stdin_in_use, plugin_done, credentials, &problem);
		}
		if (credentials->plugin) {
			append_waiter(credentials, waiter);
			return;
		}
	} else if (!fresh) {
		renew_from_files(credentials, &problem);
	}
	waiter->ready(waiter->user, problem ? NULL : credentials->current, problem);
}

void kube_credentials_cancel(struct kube_credentials *credentials, struct kube_identity_waiter *waiter)
{
	for (struct kube_identity_waiter **at = &credentials->waiters; waiter->waiting && *at; at = &(*at)->next) {
		if (*at == waiter) {
			*at = waiter->next;
			waiter->waiting = false;
			return;
		}
	}
}

bool kube_credentials_refused(struct kube_credentials *credentials, const struct kube_identity *identity)
{
	const struct stint_kube_config *config = credentials->config;
	if (identity != credentials->current) {
		return true; /* renewed meanwhile */
	}
	bool can_change =
		uses_plugin(config) || config->token_file || (config->client_certificate_file && !config->client_certificate_data);
	if (!can_change) {
		return false;
	}
	credentials->expires_ms = 1; /* long past: the next one who asks makes it anew */
	return true;
}
