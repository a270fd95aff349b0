/*
 * access: TokenReviews and SubjectAccessReviews. See access.h.
 *
 * State: answers by the hash of the token, or by caller and namespace, each good for KEEP_MS; and the questions that are open. Tokens are kept
 * as hashes alone. No answer is never taken for a yes.
 */
#include <scheduler/access.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_MS = 10 * 1000, KEPT_MAX = 2000, TIMEOUT_MS = 4000, TOKEN_MAX = 16 * 1024 };

struct answer {
	int64_t until_ms;
	enum stint_verdict verdict;
	struct stint_caller *caller; /* of a token */
};

struct question {
	struct stint_access *access;
	struct stint_kube_call *call;
	char *key;
	void (*authenticated)(void *user, enum stint_verdict verdict, struct stint_caller *caller);
	void (*read)(void *user, enum stint_verdict verdict);
	void *user;
	struct question *next;
};

struct stint_access {
	struct stint_kube *kube;
	struct stint_map *answers;
	struct question *open;
};

/* ---- callers --------------------------------------------------------------------------------------------------------------------------------- */

static struct stint_caller *caller_of(struct stint_json *user)
{
	struct stint_caller *caller = stint_alloc(sizeof(*caller));
	*caller = (struct stint_caller){.refs = 1, .user = user, .key = stint_json_print(user)};
	return caller;
}

struct stint_caller *stint_caller_new(const char *username, const char *const *groups)
{
	struct stint_json *user = stint_json_new_object();
	stint_json_set_string(user, "username", username);
	struct stint_json *list = stint_json_ensure_array(user, "groups");
	for (; groups && *groups; groups++)
		stint_json_append(list, stint_json_new_string(*groups));
	stint_json_append(list, stint_json_new_string("system:authenticated"));
	return caller_of(user);
}

struct stint_caller *stint_caller_ref(struct stint_caller *caller)
{
	caller->refs++;
	return caller;
}

void stint_caller_unref(struct stint_caller *caller)
{
	if (!caller || --caller->refs > 0)
		return;
	stint_json_free(caller->user);
	free(caller->key);
	free(caller);
}

/* ---- what is remembered ------------------------------------------------------------------------------------------------------------------------ */

static void free_answer(void *value)
{
	struct answer *answer = value;
	stint_caller_unref(answer->caller);
	free(answer);
}

static const struct answer *recall(const struct stint_access *access, const char *key)
{
	const struct answer *answer = stint_map_get(access->answers, key);
	return answer && answer->until_ms > stint_monotonic_ms() ? answer : NULL;
}

static void keep(struct stint_access *access, const char *key, enum stint_verdict verdict, struct stint_caller *caller)
{
	if (verdict == STINT_ACCESS_UNKNOWN)
		return;
	if (stint_map_count(access->answers) >= KEPT_MAX)
		stint_map_clear(access->answers);
	struct answer *answer = stint_alloc(sizeof(*answer));
	*answer = (struct answer){stint_monotonic_ms() + KEEP_MS, verdict, caller ? stint_caller_ref(caller) : NULL};
	stint_map_set(access->answers, key, answer);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------------------------ */

static void close_question(struct question *question)
{
	for (struct question **at = &question->access->open; *at; at = &(*at)->next) {
		if (*at == question) {
			*at = question->next;
			break;
		}
	}
	free(question->key);
	free(question);
}

static void ask(struct stint_access *access, const struct stint_kube_resource *resource, const struct stint_json *body,
	const struct question *about, void (*on_done)(void *user, struct stint_kube_response *response))
{
	struct question *question = stint_alloc(sizeof(*question));
	*question = *about;
	question->access = access;
	question->next = access->open;
	access->open = question;
	stint_autofree char *text = stint_json_print(body);
	question->call = stint_kube_call_start(access->kube,
		&(struct stint_kube_request){.method = "POST",
			.resource = resource,
			.body = text,
			.body_length = strlen(text),
			.timeout_ms = TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_IDEMPOTENT,
			.on_done = on_done,
			.user = question});
}

static struct stint_json *status_of(const struct stint_kube_response *response, struct stint_json **whole)
{
	*whole = response->error ? NULL : stint_json_parse(response->body.data, response->body.length, 0, NULL);
	return stint_json_get(*whole, "status");
}

static void on_token(void *user, struct stint_kube_response *response)
{
	struct question *question = user;
	stint_auto_json *whole = NULL;
	struct stint_json *status = status_of(response, &whole);
	enum stint_verdict verdict = status ? STINT_ACCESS_NO : STINT_ACCESS_UNKNOWN;
	struct stint_caller *caller = NULL;
	struct stint_json *who = stint_json_get(status, "user");
	if (stint_json_bool_or(stint_json_get(status, "authenticated"), false) && stint_json_string_at(who, "username")) {
		caller = caller_of(stint_json_dup(who));
		verdict = STINT_ACCESS_YES;
	}
	keep(question->access, question->key, verdict, caller);
	question->authenticated(question->user, verdict, caller);
	stint_caller_unref(caller);
	close_question(question);
}

void stint_access_authenticate(struct stint_access *access, const char *token,
	void (*done)(void *user, enum stint_verdict verdict, struct stint_caller *caller), void *user)
{
	if (!token[0] || strlen(token) > TOKEN_MAX) {
		done(user, STINT_ACCESS_NO, NULL);
		return;
	}
	char key[65];
	stint_sha256_hex(token, strlen(token), key);
	const struct answer *answer = recall(access, key);
	if (answer) {
		done(user, answer->verdict, answer->caller);
		return;
	}
	stint_auto_json *review = stint_json_new_object();
	stint_json_set_string(review, "apiVersion", "authentication.k8s.io/v1");
	stint_json_set_string(review, "kind", "TokenReview");
	stint_json_set_string(stint_json_ensure_object(review, "spec"), "token", token);
	const struct question about = {.key = stint_strdup(key), .authenticated = done, .user = user};
	ask(access, &stint_kube_tokenreviews, review, &about, on_token);
}

static void on_review(void *user, struct stint_kube_response *response)
{
	struct question *question = user;
	stint_auto_json *whole = NULL;
	const struct stint_json *status = status_of(response, &whole);
	const enum stint_verdict verdict = !status			       ? STINT_ACCESS_UNKNOWN
		: stint_json_bool_or(stint_json_get(status, "allowed"), false) ? STINT_ACCESS_YES
									       : STINT_ACCESS_NO;
	keep(question->access, question->key, verdict, NULL);
	question->read(question->user, verdict);
	close_question(question);
}

void stint_access_may_read(struct stint_access *access, struct stint_caller *caller, const char *space,
	void (*done)(void *user, enum stint_verdict verdict), void *user)
{
	char *key = stint_format("%s %s", space ? space : "*", caller->key);
	const struct answer *answer = recall(access, key);
	if (answer) {
		free(key);
		done(user, answer->verdict);
		return;
	}
	stint_auto_json *review = stint_json_new_object();
	stint_json_set_string(review, "apiVersion", "authorization.k8s.io/v1");
	stint_json_set_string(review, "kind", "SubjectAccessReview");
	struct stint_json *spec = stint_json_ensure_object(review, "spec");
	stint_json_set(spec, "user", stint_json_dup(stint_json_get(caller->user, "username")));
	const char *const rest[] = {"groups", "uid", "extra"};
	for (size_t i = 0; i < STINT_COUNT(rest); i++) {
		const struct stint_json *value = stint_json_get(caller->user, rest[i]);
		if (value)
			stint_json_set(spec, rest[i], stint_json_dup(value));
	}
	struct stint_json *attributes = stint_json_ensure_object(spec, "resourceAttributes");
	stint_json_set_string(attributes, "verb", "get");
	stint_json_set_string(attributes, "resource", "pods");
	if (space)
		stint_json_set_string(attributes, "namespace", space);
	const struct question about = {.key = key, .read = done, .user = user};
	ask(access, &stint_kube_subjectaccessreviews, review, &about, on_review);
}

struct stint_access *stint_access_new(struct stint_kube *kube)
{
	struct stint_access *access = stint_alloc(sizeof(*access));
	access->kube = kube;
	access->answers = stint_map_new(free_answer);
	return access;
}

void stint_access_free(struct stint_access *access)
{
	if (!access)
		return;
	while (access->open) {
		stint_kube_call_cancel(access->open->call);
		close_question(access->open);
	}
	stint_map_free(access->answers);
	free(access);
}
