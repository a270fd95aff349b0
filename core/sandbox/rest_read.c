/*
 * Reading one object, and the rules about resourceVersions that reads share.
 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUTURE_WAIT_MS = 3000 };

bool rest_version(struct rest *rest, const char *text, uint64_t *version)
{
	struct stint_json *status;
	int64_t number;

	*version = 0;
	if (!text || !*text)
		return true;
	if (stint_parse_int(text, 0, INT64_MAX, &number)) {
		*version = (uint64_t)number;
		return true;
	}
	if (rest->route.name) {
		status = stint_status_new(500, "", NULL, NULL, NULL,
			"resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax", text, text);
		stint_json_remove(status, "reason");
	} else {
		status = stint_status_new(400, "BadRequest", NULL, NULL, NULL,
			"invalid resource version: resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid "
			"syntax",
			text, text);
	}
	rest_reply_status(rest, status);
	return false;
}

/* ---- versions that are not there yet ----------------------------------------------------------------------------------------------- */

struct stint_json *rest_future_status(uint64_t version, uint64_t current)
{
	struct stint_json *causes = stint_json_new_array(), *cause = stint_json_append(causes, stint_json_new_object()), *status;

	stint_json_set_string(cause, "reason", "ResourceVersionTooLarge");
	stint_json_set_string(cause, "message", "Too large resource version");
	status = stint_status_new(504, "Timeout", NULL, NULL, causes, "Timeout: Too large resource version: %llu, current: %llu",
		(unsigned long long)version, (unsigned long long)current);
	stint_json_set_int(stint_json_ensure_object(status, "details"), "retryAfterSeconds", 1);
	return status;
}

static void on_waited(void *user)
{
	struct rest_wait *wait = user;

	stint_api_reply_status(wait->http, rest_future_status(wait->version, stint_store_version(wait->server->api->store)));
	if (wait->previous)
		wait->previous->next = wait->next;
	else
		wait->server->waits = wait->next;
	if (wait->next)
		wait->next->previous = wait->previous;
	stint_timer_free(wait->timer);
	free(wait);
}

void rest_from_future(struct rest *rest, uint64_t version)
{
	struct rest_wait *wait = stint_alloc(sizeof(*wait));

	*wait = (struct rest_wait){.server = rest->server, .http = rest->http, .version = version, .next = rest->server->waits};
	if (wait->next)
		wait->next->previous = wait;
	rest->server->waits = wait;
	wait->timer = stint_timer_new(rest->api->loop, on_waited, wait);
	stint_timer_set(wait->timer, FUTURE_WAIT_MS);
}

/* ---- get -------------------------------------------------------------------------------------------------------------------------- */

bool rest_selector(struct rest *rest, struct stint_selector **selector)
{
	struct stint_json *status = NULL;

	*selector = stint_selector_parse(
		rest->route.kind, stint_httpd_query(rest->http, "labelSelector"), stint_httpd_query(rest->http, "fieldSelector"), &status);
	if (*selector)
		return true;
	rest_reply_status(rest, status);
	return false;
}

void rest_get(struct rest *rest)
{
	struct stint_json *status = NULL;
	struct stint_stored *stored;
	uint64_t version;

	if (!rest_form_fits(rest, false) || !rest_version(rest, stint_httpd_query(rest->http, "resourceVersion"), &version))
		return;
	if (version > stint_store_version(rest->api->store)) {
		rest_from_future(rest, version);
		return;
	}
	if (rest->route.subresource && strcmp(rest->route.subresource, "scale") == 0) {
		stint_auto_json *scale = stint_scale_read(rest->api, &rest->call, &status);

		if (scale)
			rest_reply_object(rest, 200, scale);
		else
			rest_reply_status(rest, status);
		return;
	}
	stored = stint_store_get(rest->api->store, rest->route.kind, rest->route.space, rest->route.name);
	if (stored) {
		rest_reply_stored(rest, 200, stored);
		return;
	}
	stint_api_not_found(&rest->call, &status);
	rest_reply_status(rest, status);
}
