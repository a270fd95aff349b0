/*
 * Lists: which objects at which version, and how many of them; sending them is list_stream.c's.
 *
 * A continue token says the version of the walk and the key it goes on after: base64 of {"v":"meta.k8s.io/v1","rv":N,"start":"space/name"}.
 */
#include "rest_list.h"

#include <stdlib.h>
#include <string.h>

/* What the query asks for. */
struct query {
	uint64_t version;
	bool version_given; /* and not "0" */
	const char *match; /* NULL: none */
	uint64_t limit; /* 0: none */
	char *after_space, *after_name; /* continue: the last object that was sent */
	bool walk;
};

static bool invalid(struct rest *rest, const char *cause, const char *field, const char *message)
{
	struct stint_json *causes = stint_json_new_array(), *status;

	stint_cause_add(causes, cause, field, "%s", message);
	status = stint_status_invalid(&(struct stint_kind){.kind = "ListOptions", .group = "meta.k8s.io"}, "", causes);
	rest_reply_status(rest, status);
	return false;
}

static bool bad(struct rest *rest, const char *message)
{
	rest_reply_status(rest, stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s", message));
	return false;
}

bool rest_check_match(struct rest *rest, bool watch)
{
	const char *match = stint_httpd_query(rest->http, "resourceVersionMatch");
	const char *version = stint_httpd_query(rest->http, "resourceVersion");
	const char *token = stint_httpd_query(rest->http, "continue");
	bool initial = stint_httpd_query(rest->http, "sendInitialEvents") != NULL;

	if (initial && !watch)
		return invalid(rest, "FieldValueForbidden", "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list");
	if (initial && (!match || strcmp(match, "NotOlderThan") != 0))
		return invalid(rest, "FieldValueForbidden", "resourceVersionMatch",
			"Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	if (!match || !*match)
		return true;
	if (watch)
		return initial ||
			invalid(rest, "FieldValueForbidden", "resourceVersionMatch",
				"Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	if (!version || !*version)
		return invalid(rest, "FieldValueForbidden", "resourceVersionMatch",
			"Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (token && *token)
		return invalid(rest, "FieldValueForbidden", "resourceVersionMatch",
			"Forbidden: resourceVersionMatch is forbidden when continue is provided");
	if (strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0) {
		stint_autofree char *message =
			stint_format("Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\", \"\"", match);

		return invalid(rest, "FieldValueNotSupported", "resourceVersionMatch", message);
	}
	if (strcmp(match, "Exact") == 0 && strcmp(version, "0") == 0)
		return invalid(rest, "FieldValueForbidden", "resourceVersionMatch",
			"Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	return true;
}

/* ---- continue ---------------------------------------------------------------------------------------------------------------------- */

char *rest_continue_make(uint64_t version, const struct stint_stored *last)
{
	stint_autofree char *start = stint_format("%s/%s", last->space, last->name);
	stint_auto_json *tree = stint_json_new_object(); /* names of roles may hold quotes */
	stint_autofree char *text = NULL;
	char *token;

	stint_json_set_string(tree, "v", "meta.k8s.io/v1");
	stint_json_set_int(tree, "rv", (int64_t)version);
	stint_json_set_string(tree, "start", start);
	text = stint_json_print(tree);
	token = stint_base64_encode(text, strlen(text));

	/* The URL alphabet, without padding: tokens travel in queries. */
	token[strcspn(token, "=")] = '\0';
	for (char *c = token; *c; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	return token;
}

static bool read_continue(const char *token, struct query *query)
{
	size_t length = 0;
	stint_autofree char *padded = stint_format("%s%.*s", token, (int)((4 - strlen(token) % 4) % 4), "===");
	stint_autofree char *text = NULL;

	for (char *c = padded; *c; c++)
		*c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
	text = stint_base64_decode(padded, strlen(padded), &length);

	stint_auto_json *tree = text ? stint_json_parse(text, length, 0, NULL) : NULL;
	const char *start = stint_json_string_at(tree, "start"), *slash = start ? strchr(start, '/') : NULL;
	int64_t version = stint_json_int_or(stint_json_get(tree, "rv"), 0);

	if (!slash || version <= 0 || strcmp(stint_json_string_or(stint_json_get(tree, "v"), ""), "meta.k8s.io/v1") != 0)
		return false;
	query->version = (uint64_t)version;
	query->after_space = stint_strndup(start, (size_t)(slash - start));
	query->after_name = stint_strdup(slash + 1);
	query->walk = true;
	return true;
}

/* ---- the query ------------------------------------------------------------------------------------------------------------------------ */

static bool read_limit(struct rest *rest, struct query *query)
{
	const char *text = stint_httpd_query(rest->http, "limit");
	int64_t limit;

	if (!text || !*text)
		return true;
	if (!stint_parse_int(text, INT64_MIN, INT64_MAX, &limit)) {
		stint_autofree char *message = stint_format("strconv.ParseInt: parsing \"%s\": invalid syntax", text);

		return bad(rest, message);
	}
	query->limit = limit > 0 ? (uint64_t)limit : 0;
	return true;
}

static bool read_query(struct rest *rest, struct query *query)
{
	const char *version = stint_httpd_query(rest->http, "resourceVersion"), *token = stint_httpd_query(rest->http, "continue");

	query->match = stint_httpd_query(rest->http, "resourceVersionMatch");
	if (query->match && !*query->match)
		query->match = NULL;
	if (!read_limit(rest, query) || !rest_check_match(rest, false) || !rest_version(rest, version, &query->version))
		return false;
	query->version_given = query->version > 0;
	if (token && *token) {
		if (query->version_given)
			return bad(rest, "specifying resource version is not allowed when using continue");
		return read_continue(token, query) || bad(rest, "invalid continue token: continue key is not valid");
	}
	if (version && strcmp(version, "0") == 0)
		query->limit = 0; /* served from memory, whole, as a watch cache does */
	return true;
}

static void answer_expired(struct rest *rest, const struct query *query)
{
	struct stint_json *status = stint_status_new(410, "Expired", NULL, NULL, NULL,
		"The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
		"continue parameter.");

	if (!query->walk)
		stint_json_set_string(status, "message", "The resourceVersion for the provided list is too old.");
	rest_reply_status(rest, status);
}

/* Whether the list is of one version in the past. */
static bool is_exact(const struct query *query)
{
	return query->walk || (query->match && strcmp(query->match, "Exact") == 0) ||
		(query->version_given && !query->match && query->limit > 0);
}

static bool is_after(const struct stint_stored *object, const struct query *query)
{
	int order = strcmp(object->space, query->after_space);

	return order > 0 || (order == 0 && strcmp(object->name, query->after_name) > 0);
}

/* Keeps what the selector matches, from the place the walk is at, up to the limit. Returns how many matches were left out behind it. */
static size_t choose(struct stint_store_list *list, const struct stint_selector *selector, const struct query *query)
{
	size_t kept = 0, left = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct stint_stored *object = list->items[i];
		bool wanted = (!query->walk || is_after(object, query)) && stint_selector_matches(selector, object);

		if (wanted && (!query->limit || kept < query->limit)) {
			list->items[kept++] = object;
			continue;
		}
		left += wanted;
		stint_stored_release(object);
	}
	list->count = kept;
	return left;
}

static void answer(struct rest *rest, const struct query *query, const struct stint_selector *selector)
{
	struct list_answer answer = {0};
	const char *name = stint_selector_name(selector);

	if (is_exact(query)) {
		if (!stint_store_list_at(rest->api->store, rest->route.kind, rest->route.space, query->version, &answer.list)) {
			answer_expired(rest, query);
			return;
		}
	} else if (name && rest->route.kind->namespaced == (rest->route.space != NULL)) {
		struct stint_stored *only = stint_store_get(rest->api->store, rest->route.kind, rest->route.space, name);

		answer.list = (struct stint_store_list){
			.items = stint_alloc(sizeof(struct stint_stored *)), .version = stint_store_version(rest->api->store)};
		if (only)
			answer.list.items[answer.list.count++] = stint_stored_hold(only);
	} else {
		stint_store_list(rest->api->store, rest->route.kind, rest->route.space, &answer.list);
	}
	answer.left = choose(&answer.list, selector, query);
	answer.tell_left = stint_selector_is_everything(selector);
	rest_send_list(rest, &answer);
}

void rest_list(struct rest *rest)
{
	stint_auto_selector *selector = NULL;
	struct query query = {0};

	if (rest_form_fits(rest, true) && read_query(rest, &query) && rest_selector(rest, &selector)) {
		if (query.version > stint_store_version(rest->api->store))
			rest_from_future(rest, query.version);
		else
			answer(rest, &query, selector);
	}
	free(query.after_space);
	free(query.after_name);
}
