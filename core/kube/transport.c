/*
 * transport: one libcurl multi handle in our event loop, and the settings that every connection shares.
 *
 * Owns the multi handle (and with it the pool of connections), the timer that curl asks for and the fd watches of its sockets. curl's
 * callbacks run inside curl_multi_socket_action, where the multi handle must not be touched: whatever they lead to is deferred to
 * the next turn of the loop. TLS is verified always, unless the configuration says otherwise; inline certificates and keys go to curl as
 * blobs in memory. Every setting is checked: one that libcurl does not take is an error, never a silent fall-back to the system's CAs or
 * to no client certificate.
 */
#include "core/kube/call.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 15,
	MAX_CONNECTIONS = 256,
};

/* ---- curl in the loop ------------------------------------------------------------------------------------------------------ */

static void collect_finished(struct stint_kube *kube)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(kube->multi, &left)) != NULL) {
		struct kube_transfer *transfer = NULL;
		CURLcode result = message->data.result;
		if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK &&
			transfer) {
			transfer->finished(transfer, result);
		}
	}
}

static void drive(struct stint_kube *kube, curl_socket_t socket, int events)
{
	int running;
	kube_enter(kube);
	kube->in_curl = true;
	curl_multi_socket_action(kube->multi, socket, events, &running);
	kube->in_curl = false;
	collect_finished(kube);
	kube_leave(kube);
}

static void socket_ready(void *user, int fd, int events)
{
	drive(user, fd, ((events & STINT_READ) ? CURL_CSELECT_IN : 0) | ((events & STINT_WRITE) ? CURL_CSELECT_OUT : 0));
}

void kube_drive(struct stint_kube *kube)
{
	drive(kube, CURL_SOCKET_TIMEOUT, 0);
}

static void curl_timer_due(void *user)
{
	kube_drive(user);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *watched)
{
	(void)easy;
	struct stint_kube *kube = user;
	struct stint_watch_fd *watch = watched;
	if (what == CURL_POLL_REMOVE) {
		stint_fd_unwatch(watch);
		curl_multi_assign(kube->multi, socket, NULL);
		return 0;
	}
	int events = ((what & CURL_POLL_IN) ? STINT_READ : 0) | ((what & CURL_POLL_OUT) ? STINT_WRITE : 0);
	if (watch) {
		stint_fd_set(watch, events);
	} else {
		curl_multi_assign(kube->multi, socket, stint_fd_watch(kube->loop, socket, events, socket_ready, kube));
	}
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
	(void)multi;
	struct stint_kube *kube = user;
	if (timeout_ms < 0) {
		stint_timer_stop(kube->curl_timer);
	} else {
		stint_timer_set(kube->curl_timer, timeout_ms);
	}
	return 0;
}

/* ---- deferred work --------------------------------------------------------------------------------------------------------- */

void kube_defer(struct stint_kube *kube, struct kube_deferred *deferred)
{
	if (deferred->queued) {
		return;
	}
	deferred->queued = true;
	deferred->next = NULL;
	if (kube->deferred_last) {
		kube->deferred_last->next = deferred;
	} else {
		kube->deferred = deferred;
	}
	kube->deferred_last = deferred;
	if (!stint_timer_active(kube->deferred_timer)) {
		stint_timer_set(kube->deferred_timer, 0);
	}
}

void kube_defer_cancel(struct stint_kube *kube, struct kube_deferred *deferred)
{
	if (!deferred->queued) {
		return;
	}
	struct kube_deferred *before = NULL;
	for (struct kube_deferred *at = kube->deferred; at; before = at, at = at->next) {
		if (at != deferred) {
			continue;
		}
		if (before) {
			before->next = at->next;
		} else {
			kube->deferred = at->next;
		}
		if (kube->deferred_last == at) {
			kube->deferred_last = before;
		}
		break;
	}
	deferred->queued = false;
}

static void run_deferred(void *user)
{
	struct stint_kube *kube = user;
	/* What is deferred meanwhile has its turn after the loop has looked at the sockets. */
	const struct kube_deferred *last = kube->deferred_last;
	kube_enter(kube);
	for (bool more = true; more && kube->deferred && !kube->dead;) {
		struct kube_deferred *first = kube->deferred;
		more = first != last;
		kube->deferred = first->next;
		if (!kube->deferred) {
			kube->deferred_last = NULL;
		}
		first->queued = false;
		first->run(first->user);
	}
	if (kube->deferred) {
		stint_timer_set(kube->deferred_timer, 0);
	}
	kube_leave(kube);
}

/* ---- settings -------------------------------------------------------------------------------------------------------------- */

static bool accepted(CURLcode result, const char *option, struct stint_error **err)
{
	return result == CURLE_OK || stint_fail(err, STINT_FAILED, "libcurl does not take %s: %s", option, curl_easy_strerror(result));
}
#define SET(easy, option, value) accepted(curl_easy_setopt(easy, option, value), #option, err)

static bool set_blob(CURL *easy, CURLoption option, const char *name, const char *pem, struct stint_error **err)
{
	/* Not copied: the identity outlives the handle, and a copy of a key would be freed without being wiped. */
	union {
		const char *in;
		void *out;
	} text = {.in = pem};
	struct curl_blob blob = {.data = text.out, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY};
	return accepted(curl_easy_setopt(easy, option, &blob), name, err);
}

static bool set_tls(struct stint_kube *kube, CURL *easy, const struct kube_identity *identity, struct stint_error **err)
{
	bool verify = !kube->config->insecure;
	if (!SET(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) || !SET(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) ||
		!SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2)) {
		return false;
	}
	if (identity->ca_pem && !set_blob(easy, CURLOPT_CAINFO_BLOB, "CURLOPT_CAINFO_BLOB", identity->ca_pem, err)) {
		return false;
	}
	if (!identity->certificate_pem) {
		return true;
	}
	return SET(easy, CURLOPT_SSLCERTTYPE, "PEM") && SET(easy, CURLOPT_SSLKEYTYPE, "PEM") &&
		set_blob(easy, CURLOPT_SSLCERT_BLOB, "CURLOPT_SSLCERT_BLOB", identity->certificate_pem, err) &&
		set_blob(easy, CURLOPT_SSLKEY_BLOB, "CURLOPT_SSLKEY_BLOB", identity->key_pem, err);
}

static bool set_proxy(const struct stint_kube *kube, CURL *easy, struct stint_error **err)
{
	const char *proxy = kube->config->proxy_url;
	if (!proxy) {
		/* As Go has it: the proxies of the environment are not for a server on this machine. */
		return !kube->direct || SET(easy, CURLOPT_NOPROXY, "*");
	}
	/* With socks5 the proxy resolves the name, as Go's client lets it. */
	stint_autofree char *socks = stint_starts_with(proxy, "socks5://") ? stint_format("socks5h%s", proxy + strlen("socks5")) : NULL;
	return SET(easy, CURLOPT_PROXY, socks ? socks : proxy) && SET(easy, CURLOPT_NOPROXY, "");
}

/* A credential plugin that is spawned later must not inherit connections. */
static int close_on_exec(void *user, curl_socket_t socket, curlsocktype purpose)
{
	(void)user;
	(void)purpose;
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

static bool set_all(struct stint_kube *kube, CURL *easy, const struct kube_identity *identity, const char *url, struct stint_error **err)
{
	long version = kube->http1_only ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
	return SET(easy, CURLOPT_URL, url) && SET(easy, CURLOPT_PATH_AS_IS, 1L) && SET(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
		SET(easy, CURLOPT_FOLLOWLOCATION, 0L) && SET(easy, CURLOPT_HTTP_VERSION, version) &&
		SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) && SET(easy, CURLOPT_TCP_KEEPALIVE, 1L) &&
		SET(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S) && SET(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S) &&
		SET(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec) && SET(easy, CURLOPT_USERAGENT, kube->user_agent) &&
		(!kube->connect_to || SET(easy, CURLOPT_CONNECT_TO, kube->connect_to)) && set_proxy(kube, easy, err) &&
		set_tls(kube, easy, identity, err);
}

CURL *kube_easy_new(struct stint_kube *kube, const struct kube_identity *identity, const char *path, struct stint_error **err)
{
	stint_autofree char *url = stint_format("%s%s", kube->url_base, path);
	CURL *easy = curl_easy_init();
	if (!easy) {
		stint_fail(err, STINT_FAILED, "libcurl cannot make a handle");
		return NULL;
	}
	if (!set_all(kube, easy, identity, url, err)) {
		curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}

void kube_header_add(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);
	if (!longer) {
		abort(); /* an allocation of our own, as stint_alloc has it */
	}
	*headers = longer;
}

void kube_headers_free(struct curl_slist **headers)
{
	for (struct curl_slist *line = *headers; line; line = line->next) {
		explicit_bzero(line->data, strlen(line->data));
	}
	curl_slist_free_all(*headers);
	*headers = NULL;
}

void kube_headers_add_identity(const struct stint_kube *kube, const struct kube_identity *identity, struct curl_slist **headers)
{
	const struct stint_kube_config *config = kube->config;
	if (kube->host_differs) {
		kube_header_add(headers, kube->host_header);
	}
	if (identity->authorization) {
		kube_header_add(headers, identity->authorization);
	}
	if (!config->impersonate_user) {
		return;
	}
	stint_autofree char *user = stint_format("Impersonate-User: %s", config->impersonate_user);
	kube_header_add(headers, user);
	if (config->impersonate_uid) {
		stint_autofree char *uid = stint_format("Impersonate-Uid: %s", config->impersonate_uid);
		kube_header_add(headers, uid);
	}
	for (char **group = config->impersonate_groups; group && *group; group++) {
		stint_autofree char *line = stint_format("Impersonate-Group: %s", *group);
		kube_header_add(headers, line);
	}
	for (char **pair = config->impersonate_extra; pair && *pair; pair++) {
		const char *equals = strchr(*pair, '=');
		stint_autofree char *key = stint_strndup(*pair, equals ? (size_t)(equals - *pair) : strlen(*pair));
		stint_auto_buf escaped = {0};
		stint_kube_escape(&escaped, key);
		stint_autofree char *line =
			stint_format("Impersonate-Extra-%s: %s", escaped.data ? escaped.data : "", equals ? equals + 1 : "");
		kube_header_add(headers, line);
	}
}

bool kube_transfer_start(struct stint_kube *kube, CURL *easy, struct kube_transfer *transfer, struct stint_error **err)
{
	if (!SET(easy, CURLOPT_PRIVATE, transfer)) {
		return false;
	}
	CURLMcode result = curl_multi_add_handle(kube->multi, easy);
	return result == CURLM_OK || stint_fail(err, STINT_FAILED, "libcurl cannot start a request: %s", curl_multi_strerror(result));
}

void kube_transfer_remove(struct stint_kube *kube, CURL *easy)
{
	if (easy) {
		curl_multi_remove_handle(kube->multi, easy);
		curl_easy_cleanup(easy);
	}
}

bool kube_curl_error(const struct stint_kube *kube, CURL *easy, CURLcode result, const char *details, struct stint_error **err)
{
	const char *server = kube->config->server;
	const char *text = details && details[0] ? details : curl_easy_strerror(result);
	curl_off_t connected_us = 0;
	curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
	switch (result) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return stint_fail(err, STINT_UNREACHABLE,
			"%s does not prove who it is: %s; check the certificate authority of the kubeconfig", server, text);
	case CURLE_SSL_CERTPROBLEM: return stint_fail(err, STINT_USAGE, "the client certificate or its key cannot be used: %s", text);
	case CURLE_SSL_CACERT_BADFILE: return stint_fail(err, STINT_USAGE, "the certificate authority cannot be used: %s", text);
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_SSL_CONNECT_ERROR: return stint_fail(err, STINT_UNREACHABLE, "%s cannot be reached: %s", server, text);
	case CURLE_OPERATION_TIMEDOUT:
		return stint_fail(err, connected_us ? STINT_TIMEOUT : STINT_UNREACHABLE, "%s does not answer: %s", server, text);
	default: return stint_fail(err, STINT_UNREACHABLE, "the connection to %s was lost: %s", server, text);
	}
}

/* ---- the client ------------------------------------------------------------------------------------------------------------ */

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || stint_starts_with(host, "127.") || strcmp(host, "[::1]") == 0;
}

/* Splits the server's URL, and puts tls-server-name where curl takes the name of SNI and verification from: into the URL. */
static bool set_server(struct stint_kube *kube, struct stint_error **err)
{
	const struct stint_kube_config *config = kube->config;
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL, *path = NULL;
	bool ok = url && curl_url_set(url, CURLUPART_URL, config->server, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK;
	if (!ok) {
		stint_fail(err, STINT_USAGE, "%s: the server \"%s\" is not a URL like https://host:port",
			config->origin ? config->origin : "kubeconfig", config->server);
	} else {
		kube->direct = is_loopback(host);
		kube->path_prefix = stint_strdup(strcmp(path, "/") == 0 ? "" : path);
		kube->host_header = stint_format("Host: %s:%s", host, port);
		if (config->tls_server_name && stint_starts_with(config->server, "https://")) {
			const char *name = config->tls_server_name;
			kube->url_base = stint_format("https://%s:%s%s", name, port, kube->path_prefix);
			kube->host_differs = true;
			stint_autofree char *leads = stint_format("%s:%s:%s:%s", name, port, host, port);
			kube_header_add(&kube->connect_to, leads);
		} else {
			kube->url_base = stint_strdup(config->server);
		}
	}
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_url_cleanup(url);
	return ok;
}

/* Impersonation travels in headers: a line break inside a value would smuggle in another header. */
static bool check_header_values(const struct stint_kube_config *config, struct stint_error **err)
{
	char *const single[] = {config->impersonate_user, config->impersonate_uid, NULL};
	char *const *const lists[] = {config->impersonate_groups, config->impersonate_extra};
	bool clean = true;
	for (size_t i = 0; i < 2; i++) {
		clean = clean && (!single[i] || !strpbrk(single[i], "\r\n"));
		for (char *const *value = lists[i]; value && *value; value++) {
			clean = clean && !strpbrk(*value, "\r\n");
		}
	}
	return clean || stint_fail(err, STINT_USAGE, "an impersonated user, group or extra value has a line break inside");
}

static bool check_libcurl(struct stint_error **err)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	if (!info->ssl_version || !stint_starts_with(info->ssl_version, "OpenSSL/")) {
		return stint_fail(err, STINT_FAILED, "libcurl is built with %s: stint needs one with OpenSSL, which takes keys from memory",
			info->ssl_version ? info->ssl_version : "no TLS");
	}
	return true;
}

static bool set_multi(struct stint_kube *kube, struct stint_error **err)
{
	kube->multi = curl_multi_init();
	bool ok = kube->multi && curl_multi_setopt(kube->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
		curl_multi_setopt(kube->multi, CURLMOPT_SOCKETDATA, kube) == CURLM_OK &&
		curl_multi_setopt(kube->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
		curl_multi_setopt(kube->multi, CURLMOPT_TIMERDATA, kube) == CURLM_OK &&
		curl_multi_setopt(kube->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK &&
		curl_multi_setopt(kube->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS) == CURLM_OK;
	return ok || stint_fail(err, STINT_FAILED, "libcurl cannot make a multi handle");
}

struct stint_kube *stint_kube_new(
	struct stint_loop *loop, const struct stint_kube_config *config, const struct stint_kube_options *options, struct stint_error **err)
{
	static const struct stint_kube_options defaults = {0};
	if (!kube_curl_load(err))
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		stint_fail(err, STINT_FAILED, "libcurl cannot start");
		return NULL;
	}
	options = options ? options : &defaults;
	struct stint_kube *kube = stint_alloc(sizeof(*kube));
	kube->loop = loop;
	kube->config = config;
	kube->logger = options->logger;
	kube->timeout_ms = options->timeout_ms ? options->timeout_ms : 60 * 1000;
	kube->http1_only = options->http1_only;
	kube->trace = options->trace;
	kube_admission_init(kube);
	struct utsname machine;
	bool named = uname(&machine) == 0;
	kube->user_agent = options->user_agent ? stint_strdup(options->user_agent)
					       : stint_format("stint/" STINT_VERSION " (linux/%s)", named ? machine.machine : "unknown");
	kube->curl_timer = stint_timer_new(loop, curl_timer_due, kube);
	kube->deferred_timer = stint_timer_new(loop, run_deferred, kube);
	kube->credentials = kube_credentials_new(loop, config, options->logger, options->stdin_in_use);
	if (!check_libcurl(err) || !check_header_values(config, err) || !set_server(kube, err) || !set_multi(kube, err)) {
		stint_kube_free(kube);
		return NULL;
	}
	return kube;
}

static void destroy(struct stint_kube *kube)
{
	kube_calls_cancel_all(kube);
	kube_streams_detach_all(kube);
	if (kube->multi) {
		curl_multi_cleanup(kube->multi);
	}
	curl_slist_free_all(kube->connect_to);
	kube_credentials_free(kube->credentials);
	stint_timer_free(kube->curl_timer);
	stint_timer_free(kube->deferred_timer);
	stint_map_free(kube->discovered);
	free(kube->url_base);
	free(kube->path_prefix);
	free(kube->host_header);
	free(kube->user_agent);
	free(kube);
	curl_global_cleanup();
}

void kube_enter(struct stint_kube *kube)
{
	kube->frames++;
}

void kube_leave(struct stint_kube *kube)
{
	if (--kube->frames == 0 && kube->dead) {
		destroy(kube);
	}
}

void stint_kube_free(struct stint_kube *kube)
{
	if (!kube) {
		return;
	}
	kube->dead = true;
	if (kube->frames == 0) {
		destroy(kube);
	}
}

struct stint_loop *stint_kube_loop(const struct stint_kube *kube)
{
	return kube->loop;
}

const struct stint_kube_config *stint_kube_config_of(const struct stint_kube *kube)
{
	return kube->config;
}
