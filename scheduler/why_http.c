/*
 * why_http: one question from request to answer. See why_http.h.
 *
 *   who (client certificate, else TokenReview) -> may they read pods there -> everywhere? -> each namespace that holds something -> answer
 *
 * State: the questions that are open. For whom may not see everything the record is made twice: once to learn whose pods it speaks of, without
 * the changes and the estimate, which are dear and name nobody, and once to be told.
 */
#include <scheduler/why_http.h>

#include <stint/mirror.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OPEN_MAX = 256, SPACES_MAX = 32 };

struct asking {
	struct stint_why_http *why;
	struct stint_httpd_request *request;
	char *space, *workload;
	struct stint_caller *caller;
	bool sees_all;
	char *spaces[SPACES_MAX]; /* that the record speaks of */
	bool seen[SPACES_MAX];
	size_t spaces_count, asked;
	struct asking *next;
};

struct stint_why_http {
	struct stint_why_http_options options;
	struct asking *open;
	size_t open_count;
};

/* ---- answers ------------------------------------------------------------------------------------------------------------------------------------ */

static void free_asking(struct asking *asking)
{
	stint_caller_unref(asking->caller);
	for (size_t i = 0; i < asking->spaces_count; i++)
		free(asking->spaces[i]);
	free(asking->space);
	free(asking->workload);
	free(asking);
}

static void end(struct asking *asking)
{
	struct stint_why_http *why = asking->why;
	for (struct asking **at = &why->open; *at; at = &(*at)->next) {
		if (*at == asking) {
			*at = asking->next;
			why->open_count--;
			break;
		}
	}
	free_asking(asking);
}

static void count_answer(struct stint_why_http *why, int status)
{
	stint_autofree char *code = stint_format("%d", status);
	stint_metrics_add(why->options.metrics, STINT_METRIC_WHY_REQUESTS, 1, code);
}

static void reply_json(struct stint_httpd_request *request, int status, const struct stint_json *json)
{
	char *text = stint_json_print(json);
	static const char *const headers[] = {"Cache-Control", "no-store", NULL};
	stint_httpd_reply_take(request, &(struct stint_httpd_response){status, "application/json", headers}, text, strlen(text));
}

/* As Kubernetes says what is wrong, so that one reader serves for both. */
static void reply_status(
	struct stint_why_http *why, struct stint_httpd_request *request, int status, const char *reason, const char *message)
{
	stint_auto_json *json = stint_json_new_object();
	stint_json_set_string(json, "kind", "Status");
	stint_json_set_string(json, "apiVersion", "v1");
	stint_json_set_string(json, "status", "Failure");
	stint_json_set_string(json, "message", message);
	stint_json_set_string(json, "reason", reason);
	stint_json_set_int(json, "code", status);
	count_answer(why, status);
	reply_json(request, status, json);
}

static void refuse(struct asking *asking, int status, const char *reason, char *message)
{
	reply_status(asking->why, asking->request, status, reason, message);
	free(message);
	end(asking);
}

/* ---- the record and whom it shows ------------------------------------------------------------------------------------------------------------------ */

static bool note_space(void *user, const char *space)
{
	struct asking *asking = user;
	for (size_t i = 0; i < asking->spaces_count; i++) {
		if (strcmp(asking->spaces[i], space) == 0)
			return false;
	}
	if (asking->spaces_count < SPACES_MAX)
		asking->spaces[asking->spaces_count++] = stint_strdup(space);
	return false;
}

static bool is_seen(void *user, const char *space)
{
	const struct asking *asking = user;
	for (size_t i = 0; i < asking->spaces_count; i++) {
		if (strcmp(asking->spaces[i], space) == 0)
			return asking->seen[i];
	}
	return asking->sees_all;
}

/* NULL: it was answered already, with what is wrong. known_only: as in stint_why_question. */
static struct stint_json *make_record(struct asking *asking, bool (*visible)(void *user, const char *space), bool known_only)
{
	struct stint_session *session = asking->why->options.session(asking->why->options.user);
	stint_autofree char *missing = session ? stint_session_missing(session) : NULL;
	if (!session || missing) {
		const char *leader = asking->why->options.leader(asking->why->options.user);
		refuse(asking, 503, "ServiceUnavailable",
			missing ? stint_format("this scheduler is still reading the cluster (%s): ask again in a moment", missing)
				: stint_format("this replica stands by, and %s leads: ask there", leader ? leader : "nobody"));
		return NULL;
	}
	const struct stint_why_question question = {.engine = stint_session_engine(session),
		.mirror = stint_session_mirror(session),
		.space = asking->space,
		.workload = asking->workload,
		.now_ms = stint_now_ms(),
		.visible = visible,
		.user = asking,
		.known_only = known_only};
	struct stint_json *record = stint_why_record(&question);
	if (!record)
		refuse(asking, 404, STINT_WHY_UNKNOWN,
			stint_format("project \"%s\" has no workload \"%s\" that this scheduler places", asking->space, asking->workload));
	return record;
}

static void tell(struct asking *asking)
{
	stint_auto_json *record = make_record(asking, is_seen, false);
	if (!record)
		return;
	count_answer(asking->why, 200);
	reply_json(asking->request, 200, record);
	end(asking);
}

static void ask_next_space(struct asking *asking);

static void on_space(void *user, enum stint_verdict verdict)
{
	struct asking *asking = user;
	asking->seen[asking->asked++] = verdict == STINT_ACCESS_YES; /* not knowing hides */
	ask_next_space(asking);
}

static void ask_next_space(struct asking *asking)
{
	if (asking->asked < asking->spaces_count)
		stint_access_may_read(asking->why->options.access, asking->caller, asking->spaces[asking->asked], on_space, asking);
	else
		tell(asking);
}

static void on_everywhere(void *user, enum stint_verdict verdict)
{
	struct asking *asking = user;
	asking->sees_all = verdict == STINT_ACCESS_YES;
	if (asking->sees_all) {
		tell(asking);
		return;
	}
	stint_auto_json *record = make_record(asking, note_space, true);
	if (record)
		ask_next_space(asking);
}

static void on_here(void *user, enum stint_verdict verdict)
{
	struct asking *asking = user;
	if (verdict == STINT_ACCESS_UNKNOWN)
		refuse(asking, 503, "ServiceUnavailable",
			stint_strdup("the API server did not say whether you may read this: ask again in a moment"));
	else if (verdict == STINT_ACCESS_NO)
		refuse(asking, 403, STINT_WHY_FORBIDDEN,
			stint_format("user \"%s\" may not get pods in namespace \"%s\": ask who manages the project",
				stint_json_string_or(stint_json_get(asking->caller->user, "username"), ""), asking->space));
	else
		stint_access_may_read(asking->why->options.access, asking->caller, NULL, on_everywhere, asking);
}

static void on_caller(void *user, enum stint_verdict verdict, struct stint_caller *caller)
{
	struct asking *asking = user;
	if (verdict != STINT_ACCESS_YES) {
		const bool unknown = verdict == STINT_ACCESS_UNKNOWN;
		refuse(asking, unknown ? 503 : 401, unknown ? "ServiceUnavailable" : "Unauthorized",
			stint_strdup(
				unknown ? "the API server could not check the token: ask again in a moment" : "the token is not valid"));
		return;
	}
	asking->caller = stint_caller_ref(caller);
	stint_access_may_read(asking->why->options.access, asking->caller, asking->space, on_here, asking);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------------------------------ */

/* Names of Kubernetes objects: what is looked up is a name, and what is logged or sent on is one, too. */
static bool is_name(const char *text)
{
	const size_t length = strlen(text);
	return length > 0 && length <= 253 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length;
}

static bool split_path(const char *path, char **space, char **workload)
{
	stint_autofree char *rest = stint_strdup(path + strlen("/v1/why/"));
	char *slash = strchr(rest, '/');
	if (!slash)
		return false;
	*slash = '\0';
	if (!stint_httpd_unescape(rest) || !stint_httpd_unescape(slash + 1) || !is_name(rest) || !is_name(slash + 1))
		return false;
	*space = stint_strdup(rest);
	*workload = stint_strdup(slash + 1);
	return true;
}

static const char *bearer_token(const struct stint_httpd_request *request)
{
	const char *token = stint_httpd_header(request, "X-Stint-Token");
	const char *authorization = stint_httpd_header(request, "Authorization");
	if (!token && authorization && strncasecmp(authorization, "Bearer ", 7) == 0)
		token = authorization + 7;
	return token;
}

void stint_why_http_serve(struct stint_why_http *why, struct stint_httpd_request *request)
{
	char *space = NULL, *workload = NULL;
	if (!split_path(stint_httpd_path(request), &space, &workload)) {
		reply_status(why, request, 404, "NotFound", "the path is /v1/why/NAMESPACE/WORKLOAD");
		return;
	}
	struct asking *asking = stint_alloc(sizeof(*asking));
	*asking = (struct asking){.why = why, .request = request, .space = space, .workload = workload, .next = why->open};
	why->open = asking;
	why->open_count++;
	if (why->open_count > OPEN_MAX) {
		refuse(asking, 429, "TooManyRequests", stint_strdup("too many questions at once: ask again in a moment"));
		return;
	}
	bool bad = false;
	const struct stint_httpd_peer *peer = stint_httpd_peer(request, &bad);
	const char *token = bearer_token(request);
	if (token) {
		stint_access_authenticate(why->options.access, token, on_caller, asking);
	} else if (peer && peer->common_name[0]) {
		struct stint_caller *caller = stint_caller_new(peer->common_name, peer->organizations);
		on_caller(asking, STINT_ACCESS_YES, caller);
		stint_caller_unref(caller);
	} else {
		refuse(asking, 401, "Unauthorized",
			stint_strdup(bad ? "the client certificate is not one for clients that the cluster's client CA has signed"
					 : "who asks? show a bearer token or a client certificate of the cluster"));
	}
}

struct stint_why_http *stint_why_http_new(const struct stint_why_http_options *options)
{
	struct stint_why_http *why = stint_alloc(sizeof(*why));
	why->options = *options;
	return why;
}

void stint_why_http_free(struct stint_why_http *why)
{
	if (!why)
		return;
	while (why->open)
		end(why->open);
	free(why);
}
