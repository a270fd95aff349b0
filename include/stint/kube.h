/*
 * kube: speaks Kubernetes. Kubeconfig and credentials, HTTP on one libcurl multi handle that lives in a struct stint_loop, REST
 * verbs over unstructured JSON, the WebSocket streams of exec, attach and port-forward; on top of them the list+watch cache, the
 * recorder of Events and leader election.
 *
 * One thread: everything here runs on the thread of the loop. A client is asynchronous at its core (struct stint_kube_call); the
 * synchronous verbs step the loop until the answer is there and must not be called from a handler of that loop.
 * No token and no key is ever logged, and both are wiped when freed.
 */
#ifndef STINT_KUBE_H
#define STINT_KUBE_H

#include <stint/base.h>
#include <stint/model.h>
#include <stint/text.h>

/* ---- configuration: which cluster, and who asks ---------------------------------------------------------------------------- */

/* A credential plugin of a kubeconfig user (client.authentication.k8s.io). */
struct stint_kube_exec_config {
	char *command; /* resolved: a path, or a bare name looked up in PATH */
	char **args; /* NULL-ended, without the command; may be NULL */
	char **env; /* NULL-ended "NAME=value"; added to ours; may be NULL */
	char *api_version;
	char *install_hint;
	enum { STINT_KUBE_EXEC_NEVER, STINT_KUBE_EXEC_IF_AVAILABLE, STINT_KUBE_EXEC_ALWAYS } interactive;
	bool provide_cluster_info;
};

/* One context, resolved. NULL means: not given. *_data is PEM text and wins over the file of the same name. */
struct stint_kube_config {
	char *context; /* name of the context; NULL in a cluster or without one */
	char *cluster; /* name of the cluster entry */
	char *user; /* name of the user entry */
	char *namespace_; /* never NULL: "default" unless the context says otherwise */
	char *origin; /* for people: the file (or files) it came from, or "in-cluster" */
	bool in_cluster;

	char *server; /* scheme://host[:port][/prefix], no final slash */
	char *tls_server_name;
	char *proxy_url;
	char *ca_file;
	char *ca_data;
	bool insecure;
	bool disable_compression;
	char *cluster_info_config; /* JSON of the cluster's extension for exec plugins, or NULL */

	char *client_certificate_file;
	char *client_certificate_data;
	char *client_key_file;
	char *client_key_data;
	char *token;
	char *token_file; /* wins over token; read again about once a minute and after a 401 */
	char *username;
	char *password;
	struct stint_kube_exec_config *exec;
	char *impersonate_user;
	char *impersonate_uid;
	char **impersonate_groups; /* NULL-ended; may be NULL */
	char **impersonate_extra; /* NULL-ended "key=value"; may be NULL */
};

struct stint_kube_config_options {
	const char *kubeconfig; /* --kubeconfig: this file alone, and it must exist. NULL: $KUBECONFIG (a path list), else ~/.kube/config */
	const char *context; /* --context; NULL: current-context */
	const char *namespace_; /* overrides the context's */
};

/* The error's `reason` when nothing configures a cluster: no --kubeconfig, no KUBECONFIG, no ~/.kube/config, not in a pod. */
#define STINT_KUBE_NO_CONFIG "NoKubeconfig"

/*
 * Finds, merges (as client-go: the first file that sets a value wins, maps merge by name, missing files of a list are skipped, relative
 * paths belong to the file that holds them) and resolves the configuration. Without any kubeconfig the in-cluster configuration
 * is tried; without that the error has code STINT_UNREACHABLE and reason STINT_KUBE_NO_CONFIG. options may be NULL. Blocks on file reads.
 */
struct stint_kube_config *stint_kube_config_load(const struct stint_kube_config_options *options, struct stint_error **err);
/* The same from KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and the service account's files alone. */
struct stint_kube_config *stint_kube_config_in_cluster(struct stint_error **err);
/* For a caller that fills the fields itself (all of them malloc'd): namespace_ is "default", the rest empty. */
struct stint_kube_config *stint_kube_config_new(void);
void stint_kube_config_free(struct stint_kube_config *config); /* wipes secrets */
void stint_kube_config_clear(struct stint_kube_config **config);
#define stint_auto_kube_config STINT_CLEANUP(stint_kube_config_clear) struct stint_kube_config

struct stint_kube_context {
	char *name, *cluster, *user, *namespace_; /* namespace_ may be NULL */
	bool current;
};
/* The contexts that options (may be NULL) lead to, in the order of the files, ended by one with a NULL name. No kubeconfig: none. */
struct stint_kube_context *stint_kube_contexts_list(const struct stint_kube_config_options *options, struct stint_error **err);
void stint_kube_contexts_free(struct stint_kube_context *contexts);

/* ---- resources -------------------------------------------------------------------------------------------------------------- */

struct stint_kube_resource {
	const char *group; /* "" for the core group */
	const char *version;
	const char *plural;
	const char *kind;
	bool namespaced;
};

extern const struct stint_kube_resource stint_kube_pods, stint_kube_nodes, stint_kube_namespaces, stint_kube_services,
	stint_kube_configmaps, stint_kube_secrets, stint_kube_serviceaccounts, stint_kube_persistentvolumeclaims,
	stint_kube_persistentvolumes, stint_kube_storageclasses, stint_kube_core_events, stint_kube_events, stint_kube_jobs,
	stint_kube_cronjobs, stint_kube_deployments, stint_kube_replicasets, stint_kube_statefulsets, stint_kube_daemonsets,
	stint_kube_leases, stint_kube_priorityclasses, stint_kube_queues, stint_kube_podgroups, stint_kube_topologies,
	stint_kube_clusterroles, stint_kube_clusterrolebindings, stint_kube_roles, stint_kube_rolebindings, stint_kube_poddisruptionbudgets,
	stint_kube_tokenreviews, stint_kube_subjectaccessreviews, stint_kube_selfsubjectaccessreviews, stint_kube_selfsubjectreviews,
	stint_kube_runtimeclasses, stint_kube_customresourcedefinitions, stint_kube_resourceclaims, stint_kube_resourceclaimtemplates,
	stint_kube_resourceslices, stint_kube_deviceclasses, stint_kube_noderesourcetopologies;

/* Custom resources of others that own pods. stint_kube_resource_find does not know them: a cluster may lack them, and discovery says so. */
extern const struct stint_kube_resource stint_kube_pytorchjobs, stint_kube_tfjobs, stint_kube_xgboostjobs, stint_kube_jaxjobs,
	stint_kube_mpijobs, stint_kube_mpijobs_v2beta1, stint_kube_leaderworkersets;

/* The built-in resource of that apiVersion ("batch/v1") and kind, or NULL. O(number of built-ins). */
const struct stint_kube_resource *stint_kube_resource_find(const char *api_version, const char *kind);
/* "v1" or "group/version"; freed by the caller. */
char *stint_kube_resource_api_version(const struct stint_kube_resource *resource);

/*
 * Appends the path of a collection (name NULL), an object or a subresource, every piece percent-escaped. namespace_ NULL on a
 * namespaced resource: the collection in all namespaces.
 */
void stint_kube_path(struct stint_buf *out, const struct stint_kube_resource *resource, const char *namespace_, const char *name,
	const char *subresource);
/* Appends text with everything but RFC 3986's unreserved characters percent-escaped. */
void stint_kube_escape(struct stint_buf *out, const char *text);

/* ---- the client -------------------------------------------------------------------------------------------------------------- */

struct stint_kube;

/* What is logged about requests, at STINT_LOG_INFO. Never a header or a body. */
enum stint_kube_trace {
	STINT_KUBE_TRACE_NONE,
	STINT_KUBE_TRACE_ANSWERS, /* one line at the end of each: verb, path, status, milliseconds */
	STINT_KUBE_TRACE_ALL, /* a line when it is sent as well; with queries and sizes */
};

struct stint_kube_options {
	const struct stint_logger *logger; /* NULL: silence. Must outlive the client */
	const char *user_agent; /* NULL: "stint/VERSION" */
	int64_t timeout_ms; /* of a request that sets none; 0: 60 s; -1: none */
	bool stdin_in_use; /* standard input is not for credential plugins */
	bool http1_only;
	enum stint_kube_trace trace;
};

/* config is borrowed and must outlive the client. options may be NULL. Nothing is sent yet. */
struct stint_kube *stint_kube_new(struct stint_loop *loop, const struct stint_kube_config *config, const struct stint_kube_options *options,
	struct stint_error **err);
/*
 * Cancels what is under way: no on_done comes. Before stint_loop_free. From within on_done or on_data its memory goes when that handler has
 * returned; not from a stream's handler.
 */
void stint_kube_free(struct stint_kube *kube);
struct stint_loop *stint_kube_loop(const struct stint_kube *kube);
const struct stint_kube_config *stint_kube_config_of(const struct stint_kube *kube);

/* ---- a request --------------------------------------------------------------------------------------------------------------- */

struct stint_kube_query {
	const char *name;
	const char *value; /* raw: it is escaped for you. NULL: the pair is left out */
};

enum stint_kube_retry {
	/* GET: after a lost connection, 429, 503 and 5xx with Retry-After. Others: after a 429 alone (not processed), but for evictions. */
	STINT_KUBE_RETRY_AUTO,
	STINT_KUBE_RETRY_NEVER,
	STINT_KUBE_RETRY_IDEMPOTENT, /* the caller vouches that sending it twice does no harm: treated as GET is */
};

struct stint_kube_response {
	int status; /* HTTP status; 0 when no answer came */
	struct stint_buf body; /* empty when on_data took it */
	struct stint_error *error; /* NULL: it worked (2xx, complete) */
};

/* Everything is copied when the call starts, but for `user`. Zero-initialise; unset fields have the default that is named. */
struct stint_kube_request {
	const char *method; /* "GET" unless set */
	/* What: either resource (with namespace_, name, subresource as stint_kube_path takes them) or path, already escaped, with no query. */
	const struct stint_kube_resource *resource;
	const char *namespace_;
	const char *name;
	const char *subresource;
	const char *path;
	const struct stint_kube_query *query; /* ended by a NULL name; may be NULL */
	const void *body;
	size_t body_length;
	const char *content_type; /* "application/json" */
	const char *accept; /* "application/json" */
	const char *token_header; /* the bearer token, where there is one, goes under this name too: a service proxy drops Authorization */
	int64_t timeout_ms; /* of the whole call, retries included; 0: the client's; -1: none */
	int64_t idle_timeout_ms; /* silence of the server for so long ends the call with STINT_TIMEOUT, and with the status of an answer that had begun; 0: none */
	size_t max_body_bytes; /* of a gathered body; 0: 64 MiB. More is an error */
	bool no_gzip; /* ask for an uncompressed body: cheaper on a fast network */
	enum stint_kube_retry retry;
	/*
	 * Takes a body (2xx only) in pieces as it arrives; NULL: it is gathered. May cancel its call, and start others. False ends the
	 * call with an error of code STINT_FAILED. With on_data, nothing is retried once a byte has been handed over.
	 */
	bool (*on_data)(void *user, const char *data, size_t length);
	/* Comes once, never from within stint_kube_call_start. May take response->body (stint_buf_steal) and response->error (stint_steal). */
	void (*on_done)(void *user, struct stint_kube_response *response);
	void *user;
};

/* A request under way. The pointer is valid until on_done is entered or it is cancelled. */
struct stint_kube_call;
struct stint_kube_call *stint_kube_call_start(struct stint_kube *kube, const struct stint_kube_request *request); /* never NULL */
void stint_kube_call_cancel(struct stint_kube_call *call); /* NULL is fine; on_done does not come */

/* The synchronous form: false with err when it failed or the loop was stopped (STINT_INTERRUPTED). response may be NULL. */
bool stint_kube_call_wait(
	struct stint_kube *kube, const struct stint_kube_request *request, struct stint_kube_response *response, struct stint_error **err);
void stint_kube_response_free(struct stint_kube_response *response); /* its contents */

/*
 * Sets err from what a server answered: a Status object, or any other body. Maps 400, 413 and 422 to STINT_USAGE, 401 and 403 to
 * STINT_FORBIDDEN, 404 to STINT_NOT_FOUND, 409 to STINT_CONFLICT, 408 and 504 to STINT_TIMEOUT, 502 and 503 to STINT_UNREACHABLE, the
 * rest (410 Expired, 429, 500) to STINT_FAILED; err->status, ->reason and ->retry_after_ms say more. Returns false.
 */
bool stint_kube_status_error(struct stint_error **err, int http_status, const char *body, size_t length);
/* The same from a Status object, such as that of a watch's ERROR event. */
bool stint_kube_status_object_error(struct stint_error **err, const struct stint_json *status);
/* Whether the same request may well work a little later: the server cannot be reached, is busy, or has failed. */
bool stint_kube_is_passing(const struct stint_error *err);

/* ---- synchronous verbs -------------------------------------------------------------------------------------------------------- */

/* All of them return the object that the server answered, owned by the caller, or NULL with err. */
struct stint_json *stint_kube_get(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, struct stint_error **err);

struct stint_kube_list_options {
	const char *label_selector;
	const char *field_selector;
	int limit; /* items per page; 0: 500; -1: all at once */
};
/* All pages as one list object: {"apiVersion", "kind": "PodList", "metadata", "items"}; every item has its apiVersion and kind. */
struct stint_json *stint_kube_list(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, struct stint_error **err);
/*
 * The same as a stream: on_item gets the bytes of each item (valid during the call) as they arrive, in constant memory. False from on_item
 * ends it with STINT_FAILED. Reason "Expired": the pages came too slowly; what was handed over is void, start again with limit -1.
 */
bool stint_kube_list_each(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const struct stint_kube_list_options *options, bool (*on_item)(void *user, const char *item, size_t length), void *user,
	struct stint_error **err);

struct stint_kube_write_options {
	const char *subresource; /* "status", "scale", "binding", ...; NULL: the object itself */
	const char *field_manager; /* NULL: "stint" */
	bool dry_run; /* dryRun=All */
	bool force; /* apply: take over fields of other managers */
	const char *field_validation; /* "Strict", "Warn", "Ignore"; NULL: the server's default */
};
/* options may be NULL everywhere. name may be NULL for stint_kube_create of an object; a subresource needs it. */
struct stint_json *stint_kube_create(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, const struct stint_json *object, const struct stint_kube_write_options *options, struct stint_error **err);
struct stint_json *stint_kube_replace(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, const struct stint_json *object, const struct stint_kube_write_options *options, struct stint_error **err);

enum stint_kube_patch { STINT_KUBE_PATCH_MERGE, STINT_KUBE_PATCH_JSON, STINT_KUBE_PATCH_STRATEGIC, STINT_KUBE_PATCH_APPLY };
const char *stint_kube_patch_content_type(enum stint_kube_patch type);
struct stint_json *stint_kube_patch(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, enum stint_kube_patch type, const struct stint_json *patch, const struct stint_kube_write_options *options,
	struct stint_error **err);

struct stint_kube_delete_options {
	const char *propagation; /* "Background" unless set; "Foreground", "Orphan" */
	const char *uid; /* precondition */
	const char *resource_version; /* precondition */
	int64_t grace_seconds; /* used when has_grace */
	bool has_grace;
	bool dry_run;
};
bool stint_kube_delete(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_, const char *name,
	const struct stint_kube_delete_options *options, struct stint_error **err);
/* Like stint_kube_resource_find, and asks the server's discovery for what is not built in. The answer is the client's. */
const struct stint_kube_resource *stint_kube_discover(
	struct stint_kube *kube, const char *api_version, const char *kind, struct stint_error **err);

/* ---- logs ---------------------------------------------------------------------------------------------------------------------- */

struct stint_kube_log_options {
	const char *container;
	bool follow, previous, timestamps;
	int64_t tail_lines; /* -1: all */
	int64_t since_seconds; /* 0: from the start */
	const char *since_time; /* RFC 3339, or NULL */
	int64_t limit_bytes; /* 0: none */
};
/* Starts GET pods/log; on_data and on_done as in struct stint_kube_request. The bytes are foreign: sanitize before a terminal sees them. */
struct stint_kube_call *stint_kube_log_start(struct stint_kube *kube, const char *namespace_, const char *pod,
	const struct stint_kube_log_options *options, bool (*on_data)(void *user, const char *data, size_t length),
	void (*on_done)(void *user, struct stint_kube_response *response), void *user);

/* ---- streams: exec, attach, port-forward ----------------------------------------------------------------------------------------- */

/* Channels of exec and attach (v4/v5.channel.k8s.io). Port-forward has STINT_KUBE_DATA and STINT_KUBE_PORT_ERROR. */
enum stint_kube_channel {
	STINT_KUBE_STDIN = 0,
	STINT_KUBE_STDOUT = 1,
	STINT_KUBE_STDERR = 2,
	STINT_KUBE_STATUS = 3,
	STINT_KUBE_RESIZE = 4,
	STINT_KUBE_DATA = 0,
	STINT_KUBE_PORT_ERROR = 1,
};

struct stint_kube_stream_handlers {
	void (*on_open)(void *user); /* may be NULL */
	/* channel: STDOUT or STDERR; of a port-forward DATA or PORT_ERROR (a sentence of the server) */
	void (*on_data)(void *user, enum stint_kube_channel channel, const char *data, size_t length);
	void (*on_writable)(void *user); /* a write was cut short before, and there is room again; may be NULL */
	/*
	 * Once, at the end; the stream is still to be freed. exit_code: of the remote command; -1 unknown (port-forward, lost connection). err: NULL when
	 * it ended as it should (whatever the exit code); borrowed, else.
	 */
	void (*on_close)(void *user, int exit_code, const struct stint_error *err);
	void *user;
};

struct stint_kube_exec {
	const char *namespace_;
	const char *pod;
	const char *container; /* NULL: the pod's first */
	const char *const *command; /* NULL-ended argv, passed on as it is; NULL: attach to the running process */
	bool stdin_, stdout_, stderr_, tty; /* with tty the server merges stderr into stdout: leave stderr_ false */
};

struct stint_kube_stream;
struct stint_kube_stream *stint_kube_exec_start(struct stint_kube *kube, const struct stint_kube_exec *exec,
	const struct stint_kube_stream_handlers *handlers); /* never NULL; failures come by on_close */
/* One connection to one port of a pod. Local end of file cannot be told to the server: free the stream. */
struct stint_kube_stream *stint_kube_port_forward_start(
	struct stint_kube *kube, const char *namespace_, const char *pod, uint16_t port, const struct stint_kube_stream_handlers *handlers);
/* How many bytes were taken (as stdin, or to the port): fewer than length when the queue (64 KiB) is full; then on_writable comes. */
size_t stint_kube_stream_write(struct stint_kube_stream *stream, const char *data, size_t length);
/* Tells the remote command that its stdin has ended. False when the server speaks v4 only, which cannot say it. */
bool stint_kube_stream_close_stdin(struct stint_kube_stream *stream);
void stint_kube_stream_resize(struct stint_kube_stream *stream, uint16_t columns, uint16_t rows); /* the latest size is kept until open */
void stint_kube_stream_pause(struct stint_kube_stream *stream, bool paused); /* no on_data while paused */
void stint_kube_stream_free(struct stint_kube_stream *stream); /* NULL is fine; closes; on_close does not come */

/* ---- list + watch ------------------------------------------------------------------------------------------------------------------ */

enum stint_change { STINT_ADDED, STINT_MODIFIED, STINT_DELETED };

struct stint_reflector_options {
	const struct stint_kube_resource *resource;
	enum stint_kind kind; /* what the items are decoded as */
	struct stint_model *model; /* borrowed; must outlive the reflector */
	const char *namespace_; /* NULL: all */
	const char *label_selector; /* may be NULL */
	const char *field_selector;
	bool metadata_only; /* ask for the objects' metadata alone (PartialObjectMetadata) */
	int page_size; /* 0: 500 */
	int64_t silence_ms; /* a watch that says nothing for so long is asked anew; 0: 90 s (a bookmark comes about every minute, or never) */
	const struct stint_logger *logger; /* may be NULL */
	/*
	 * A change, in the order of the server. `object` is counted by the reflector for the call: stint_object_ref keeps it. `before` is what was
	 * known (NULL for ADDED). DELETED gives the last state that the server told, or `before` itself when a new list no longer has it.
	 * May free the reflector, but not the model.
	 */
	void (*on_change)(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before);
	/* The list is complete and told, first or anew (`again`); what follows comes from the watch. May be NULL. */
	void (*on_synced)(void *user, bool again);
	/* A list or a watch failed and is tried again in retry_ms. Once a list has failed, what is known may be old. May be NULL. */
	void (*on_trouble)(void *user, const struct stint_error *err, int64_t retry_ms);
	void *user;
};

/*
 * Keeps what matches the options known, by a consistent paged list (no resourceVersion) and a watch from there with bookmarks. A watch
 * that ends goes on from the last resourceVersion; one that is too old (410) makes a new list, whose differences are told: nothing is
 * lost and nothing told twice. Texts of options are copied. Starts at once; nothing is told before the loop turns.
 */
struct stint_reflector;
struct stint_reflector *stint_reflector_start(struct stint_kube *kube, const struct stint_reflector_options *options);
void stint_reflector_free(struct stint_reflector *reflector); /* NULL is fine; releases the objects, tells nothing */
/* There is reason to believe that a list would bring more than the last try: lists now, whatever is under way or waits. Not from its handlers. */
void stint_reflector_relist(struct stint_reflector *reflector);
bool stint_reflector_synced(const struct stint_reflector *reflector); /* a whole list has been told */
/* What is known; borrowed. namespace_ NULL for cluster-wide kinds. */
struct stint_object *stint_reflector_get(const struct stint_reflector *reflector, const char *namespace_, const char *name);
/* for (size_t at = 0; (object = stint_reflector_next(reflector, &at));) ... in no order; the set must not change meanwhile. */
struct stint_object *stint_reflector_next(const struct stint_reflector *reflector, size_t *at);

/* ---- events ------------------------------------------------------------------------------------------------------------------------ */

/* What an Event is about. Texts are copied; uid, resource_version and field_path may be NULL. */
struct stint_kube_about {
	const char *api_version;
	const char *kind;
	const char *namespace_;
	const char *name;
	const char *uid;
	const char *resource_version;
	const char *field_path;
};
struct stint_recorder_options {
	const char *component; /* reportingController and source.component: "stint-scheduler" */
	const char *instance; /* reportingInstance; NULL: the host's name */
	size_t queue_max; /* Events waiting to be sent; 0: 1000. More are dropped, and counted */
	int in_flight_max; /* requests at a time; 0: 2 */
	const struct stint_logger *logger;
};
/*
 * Writes core/v1 Events as client-go's recorder does: an equal one is patched (count, lastTimestamp), more than ten of one reason about one
 * object within ten minutes become one "(combined from similar events)", and each object has a bucket of 25 that fills by one in five
 * minutes. Asynchronous: recording never blocks, and a failing server never holds anybody up.
 */
struct stint_recorder;
struct stint_recorder *stint_recorder_new(struct stint_kube *kube, const struct stint_recorder_options *options);
void stint_recorder_free(struct stint_recorder *recorder); /* what is still queued is lost */
/* type: "Normal" or "Warning". annotations: key, value, key, value, NULL; or NULL. The message is cut at 1 KiB. */
void stint_record(struct stint_recorder *recorder, const struct stint_kube_about *about, const char *type, const char *reason,
	const char *const *annotations, const char *format, ...) STINT_PRINTF(6, 7);

/* ---- leader election ------------------------------------------------------------------------------------------------------------------ */

struct stint_elector_options {
	const char *namespace_;
	const char *name;
	const char *identity; /* unique to the process */
	int64_t lease_ms; /* 0: 15 s. How long others wait after the last renewal that they saw */
	int64_t renew_ms; /* 0: 10 s. How long a leader tries to renew before it stops to be one */
	int64_t retry_ms; /* 0: 2 s. Between tries, jittered */
	const struct stint_logger *logger;
	void (*on_started)(void *user); /* we lead now */
	void (*on_stopped)(void *user); /* we lead no more; the elector goes on as a stand-by */
	void (*on_leader)(void *user, const char *identity); /* a leader was seen, us included; may be NULL */
	void *user;
};
/* Leader election over a coordination.k8s.io/v1 Lease, as client-go does it: other clocks are never trusted, only changes are observed. */
struct stint_elector;
struct stint_elector *stint_elector_start(struct stint_kube *kube, const struct stint_elector_options *options);
/* Nothing may be written at or after this time of stint_monotonic_ms (0 when we do not lead): the last renewal plus renew_ms. */
int64_t stint_elector_write_until_ms(const struct stint_elector *elector);
/* An annotation that every write of ours puts on the Lease while we lead; NULL removes it. Writes at once when we lead. */
void stint_elector_annotate(struct stint_elector *elector, const char *key, const char *value);
/*
 * Gives the Lease up (if we lead) so that another can take it at once, and stops trying; on_stopped comes first, then on_done, once: at
 * once when there is nothing to give up. A server that does not answer is given up after renew_ms / 2, half a second at least.
 */
void stint_elector_release(struct stint_elector *elector, void (*on_done)(void *user), void *user);
void stint_elector_free(struct stint_elector *elector); /* NULL is fine; tells nothing, writes nothing */

#endif
