/*
 * status: turns what a server answered into an error of ours. Pure.
 *
 * Kubernetes answers failures with a Status object; unknown paths, proxies and load balancers answer with anything. The sentence comes
 * from outside, so it is made safe for a terminal and bounded.
 */
#include "core/kube/call.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SENTENCE_BYTES = 4096, MAX_EXCERPT_BYTES = 200 };

static enum stint_code code_of(int http_status)
{
	switch (http_status) {
	case 400:
	case 413:
	case 422: return STINT_USAGE;
	case 401:
	case 403: return STINT_FORBIDDEN;
	case 404: return STINT_NOT_FOUND;
	case 409: return STINT_CONFLICT;
	case 408:
	case 504: return STINT_TIMEOUT;
	case 502:
	case 503: return STINT_UNREACHABLE;
	default: return STINT_FAILED;
	}
}

/* One line, safe to print; freed by the caller. */
static char *safe_sentence(const char *text, size_t max_bytes)
{
	char *out = stint_strndup(text, strnlen(text, max_bytes));
	stint_sanitize(out);
	for (char *at = out; *at; at++) {
		if (*at == '\n' || *at == '\t') {
			*at = ' ';
		}
	}
	for (size_t length = strlen(out); length > 0 && out[length - 1] == ' '; length--) {
		out[length - 1] = '\0';
	}
	return out;
}

static void set_details(struct stint_error **err, int http_status, const char *reason, int64_t retry_after_ms)
{
	if (err && *err) {
		(*err)->status = http_status;
		(*err)->retry_after_ms = retry_after_ms;
		if (reason) {
			size_t length = strnlen(reason, sizeof((*err)->reason) - 1);
			memcpy((*err)->reason, reason, length);
			(*err)->reason[length] = '\0';
		}
	}
}

void kube_explain_absent(struct stint_error **err, const char *target)
{
	static const char *const groups[] = {"/apis/scheduling.run.ai/", "/apis/kai.scheduler/"};
	/* An object that is missing is told by a Status with a reason: without one it is the path that is not served. */
	for (size_t i = 0; i < STINT_COUNT(groups) && (*err)->status == 404 && !(*err)->reason[0]; i++) {
		if (!stint_starts_with(target, groups[i]))
			continue;
		stint_fail(err, STINT_NOT_FOUND,
			"the cluster serves nothing at %.*s: stint's kinds are missing there, so apply deploy/crds of its sources first",
			(int)strcspn(target, "?"), target);
		set_details(err, 404, NULL, -1);
		return;
	}
}

bool stint_kube_is_passing(const struct stint_error *err)
{
	return err->code == STINT_UNREACHABLE || err->code == STINT_TIMEOUT || err->status == 429 || err->status >= 500;
}

bool stint_kube_status_object_error(struct stint_error **err, const struct stint_json *status)
{
	int64_t http_status = 0, retry_seconds = -1;
	stint_json_int(stint_json_get(status, "code"), &http_status);
	stint_json_int(stint_json_at(status, "details", "retryAfterSeconds"), &retry_seconds);
	if (http_status < 100 || http_status > 999) {
		http_status = 0;
	}
	const char *reason = stint_json_string_at(status, "reason");
	const char *text = stint_json_string_at(status, "message");
	stint_autofree char *sentence = safe_sentence(text && text[0] ? text : "the server gave no message", MAX_SENTENCE_BYTES);
	if (http_status == 401) {
		stint_fail(err, STINT_FORBIDDEN, "the server does not accept the credentials (%s): log in again", sentence);
	} else {
		stint_fail(err, code_of((int)http_status), "%s", sentence);
	}
	bool known = retry_seconds > 0 && retry_seconds < 24 * 3600;
	set_details(err, (int)http_status, reason, known ? retry_seconds * 1000 : -1);
	return false;
}

bool stint_kube_status_error(struct stint_error **err, int http_status, const char *body, size_t length)
{
	stint_auto_json *status = length > 0 && body[0] == '{' ? stint_json_parse(body, length, 0, NULL) : NULL;
	const char *kind = stint_json_string_at(status, "kind");
	if (kind && strcmp(kind, "Status") == 0 && stint_json_string_at(status, "message")) {
		if (!stint_json_get(status, "code")) {
			stint_json_set_int(status, "code", http_status);
		}
		return stint_kube_status_object_error(err, status);
	}
	stint_autofree char *text = stint_strndup(length ? body : "", length < MAX_EXCERPT_BYTES ? length : MAX_EXCERPT_BYTES);
	stint_autofree char *excerpt = safe_sentence(text, MAX_EXCERPT_BYTES);
	if (http_status == 401) {
		stint_fail(err, STINT_FORBIDDEN, "the server does not accept the credentials (401): log in again");
	} else {
		stint_fail(err, code_of(http_status), "the server answered %d%s%s", http_status, excerpt[0] ? ": " : "", excerpt);
	}
	set_details(err, http_status, NULL, -1);
	return false;
}
