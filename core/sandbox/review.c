/*
 * Reviews: questions that are asked by a create and stored nowhere. Who is known may do everything, so access reviews say yes; token
 * reviews know the tokens that the server has given out, service accounts' among them.
 */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 48, DEFAULT_TOKEN_S = 3600, MIN_TOKEN_S = 600 };

static const int64_t MAX_TOKEN_S = INT64_C(1) << 32;

static struct stint_json *read_review(struct rest *rest, const struct stint_kind *kind)
{
	struct stint_slice body = rest_body(rest);
	stint_autofree char *type = rest_body_type(rest->http);
	struct stint_json *status = NULL, *review;

	if (!rest_write_options(rest, "CreateOptions"))
		return NULL;
	review = stint_schema_read(rest->api->schema, kind, body.data, body.length, strcmp(type, "application/yaml") == 0,
		rest->call.validation, &rest->warnings, &status);
	if (!review)
		rest_reply_status(rest, status);
	return review;
}

/* A review that does not say enough to be answered. */
static bool refuse_review(struct rest *rest, const char *field, const char *message)
{
	struct stint_json *causes = stint_json_new_array();

	stint_cause_add(causes, "FieldValueInvalid", field, "%s", message);
	struct stint_json *status = stint_status_invalid(&(struct stint_kind){.kind = "", .group = rest->route.kind->group}, "", causes);

	stint_json_remove(stint_json_get(status, "details"), "kind");
	rest_reply_status(rest, status);
	return false;
}

static bool check_access(struct rest *rest, const struct stint_json *review)
{
	const struct stint_json *spec = stint_json_get(review, "spec");

	if ((stint_json_get(spec, "resourceAttributes") != NULL) == (stint_json_get(spec, "nonResourceAttributes") != NULL))
		return refuse_review(rest, "spec.resourceAttributes",
			"Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified");
	if (!stint_starts_with(rest->route.kind->kind, "Self") && !stint_json_string_at(spec, "user") &&
		!stint_json_first(stint_json_get(spec, "groups")))
		return refuse_review(rest, "spec.user", "Invalid value: \"\": at least one of user or group must be specified");
	return true;
}

static void answer_access(struct rest *rest, struct stint_json *review)
{
	struct stint_json *status = stint_json_ensure_object(review, "status");

	(void)rest;
	stint_json_set_bool(status, "allowed", true);
	stint_json_set_string(status, "reason", "the sandbox stores roles and does not enforce them");
}

static struct stint_json *all_of(struct stint_json *rule, const char *key)
{
	stint_json_append(stint_json_ensure_array(rule, key), stint_json_new_string("*"));
	return rule;
}

static void answer_rules(struct rest *rest, struct stint_json *review)
{
	struct stint_json *status = stint_json_ensure_object(review, "status"), *rule;

	(void)rest;
	rule = stint_json_append(stint_json_ensure_array(status, "resourceRules"), stint_json_new_object());
	all_of(all_of(all_of(rule, "verbs"), "apiGroups"), "resources");
	rule = stint_json_append(stint_json_ensure_array(status, "nonResourceRules"), stint_json_new_object());
	all_of(all_of(rule, "verbs"), "nonResourceURLs");
	stint_json_set_bool(status, "incomplete", false);
	stint_json_set(review, "spec", stint_json_new_object());
}

static void answer_self(struct rest *rest, struct stint_json *review)
{
	char time[STINT_TIME_SIZE];

	stint_json_set_string(stint_json_ensure_object(review, "metadata"), "creationTimestamp", stint_time_format(stint_now_ms(), time));
	stint_json_set(stint_json_ensure_object(review, "status"), "userInfo", rest_user_info(rest->user));
}

static void answer_token(struct rest *rest, struct stint_json *review)
{
	struct stint_json *status = stint_json_ensure_object(review, "status");
	const char *token = stint_json_string_or(stint_json_at(review, "spec", "token"), "");
	struct rest_user *user = rest_token_find(rest->server, token);

	if (user) {
		const struct stint_json *audiences = stint_json_at(review, "spec", "audiences");

		stint_json_set_bool(status, "authenticated", true);
		stint_json_set(status, "user", rest_user_info(user));
		if (stint_json_first(audiences))
			stint_json_set(status, "audiences", stint_json_dup(audiences));
		rest_user_free(user);
	} else {
		stint_json_ensure_object(status, "user");
		stint_json_set_string(status, "error", "invalid bearer token");
	}
}

static const struct {
	const char *kind;
	void (*answer)(struct rest *rest, struct stint_json *review);
} reviews[] = {
	{"SubjectAccessReview", answer_access},
	{"LocalSubjectAccessReview", answer_access},
	{"SelfSubjectAccessReview", answer_access},
	{"SelfSubjectRulesReview", answer_rules},
	{"SelfSubjectReview", answer_self},
	{"TokenReview", answer_token},
};

static void post_binding(struct rest *rest)
{
	struct stint_json *binding = read_review(rest, rest->route.kind), *status = NULL;
	stint_auto_json *out = NULL;

	if (!binding)
		return;
	rest->call.subresource = "binding";
	if (stint_api_create(rest->api, &rest->call, binding, &out, &status))
		rest_reply_object(rest, 201, out);
	else
		rest_reply_status(rest, status);
}

void rest_review(struct rest *rest)
{
	const struct stint_kind *kind = rest->route.kind;
	stint_auto_json *review = NULL;

	if (strcmp(kind->kind, "Binding") == 0) {
		post_binding(rest);
		return;
	}
	for (size_t i = 0; i < STINT_COUNT(reviews); i++) {
		if (strcmp(reviews[i].kind, kind->kind) != 0)
			continue;
		review = read_review(rest, kind);
		if (!review)
			return;
		if (reviews[i].answer == answer_access && !check_access(rest, review))
			return;
		stint_json_ensure_object(review, "metadata");
		stint_json_remove(review, "status");
		reviews[i].answer(rest, review);
		rest_reply_json(rest, 201, review);
		return;
	}
	rest_reply_status(rest,
		stint_status_new(
			405, "MethodNotAllowed", NULL, "", NULL, "the server does not allow this method on the requested resource"));
}

/* ---- serviceaccounts/token -------------------------------------------------------------------------------------------------------------- */

static void give_token(struct rest *rest, const struct stint_stored *account, struct stint_json *request)
{
	stint_autofree char *user = stint_format("system:serviceaccount:%s:%s", account->space, account->name);
	stint_autofree char *space_group = stint_format("system:serviceaccounts:%s", account->space);
	const char *const groups[] = {"system:serviceaccounts", space_group, NULL};
	int64_t seconds = stint_json_int_or(stint_json_at(request, "spec", "expirationSeconds"), DEFAULT_TOKEN_S);
	int64_t expires = stint_now_ms() + seconds * 1000;
	struct stint_json *status = stint_json_ensure_object(request, "status");
	unsigned char secret[TOKEN_BYTES];
	char time[STINT_TIME_SIZE];

	stint_random_bytes(secret, sizeof(secret));

	stint_autofree char *token = stint_base64_encode(secret, sizeof(secret));

	rest_token_add(rest->server, token, user, account->uid, groups, expires);
	stint_json_set_string(stint_json_get(request, "metadata"), "creationTimestamp", stint_time_format(stint_now_ms(), time));
	stint_json_set_string(status, "token", token);
	stint_json_set_string(status, "expirationTimestamp", stint_time_format(expires, time));
}

static bool check_life(struct rest *rest, const struct stint_json *request)
{
	int64_t seconds = stint_json_int_or(stint_json_at(request, "spec", "expirationSeconds"), DEFAULT_TOKEN_S);
	const char *problem = seconds < MIN_TOKEN_S ? "may not specify a duration less than 10 minutes"
		: seconds > MAX_TOKEN_S		    ? "may not specify a duration larger than 2^32 seconds"
						    : NULL;
	struct stint_json *causes;

	if (!problem)
		return true;
	causes = stint_json_new_array();
	stint_cause_add(causes, "FieldValueInvalid", "spec.expirationSeconds", "Invalid value: %lld: %s", (long long)seconds, problem);
	rest_reply_status(rest, stint_status_invalid(stint_api_kind(rest->api, "authentication.k8s.io/v1", "TokenRequest"), "", causes));
	return false;
}

void rest_token_request(struct rest *rest)
{
	const struct stint_stored *account = stint_store_get(rest->api->store, rest->route.kind, rest->route.space, rest->route.name);
	struct stint_json *status = NULL;
	stint_auto_json *request = NULL;

	if (!account) {
		stint_api_not_found(&rest->call, &status);
		rest_reply_status(rest, status);
		return;
	}
	request = read_review(rest, stint_api_kind(rest->api, "authentication.k8s.io/v1", "TokenRequest"));
	if (!request || !check_life(rest, request))
		return;
	stint_json_set_string(stint_json_ensure_object(request, "metadata"), "name", account->name);
	stint_json_set_string(stint_json_get(request, "metadata"), "namespace", account->space);
	give_token(rest, account, request);
	rest_reply_json(rest, 201, request);
}
