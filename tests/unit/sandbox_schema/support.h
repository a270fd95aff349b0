/*
 * What the schema's test programs share: cmocka's headers in their order, trees from text with single quotes, one schema per program.
 */
#ifndef STINT_TESTS_SANDBOX_SCHEMA_SUPPORT_H
#define STINT_TESTS_SANDBOX_SCHEMA_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sandbox/schema.h"

/* JSON in which ' stands for ". */
static inline struct stint_json *json_of(const char *text)
{
	char *copy = stint_strdup(text);
	for (char *at = copy; *at; at++)
		if (*at == '\'')
			*at = '"';
	stint_auto_error *err = NULL;
	struct stint_json *json = stint_json_parse(copy, strlen(copy), STINT_JSON_REJECT_DUPLICATES, &err);
	if (!json)
		fail_msg("%s: %s", err->message, text);
	free(copy);
	return json;
}

static inline void same_json(const struct stint_json *got, const char *wanted)
{
	stint_auto_json *json = json_of(wanted);
	if (stint_json_equal(got, json))
		return;
	stint_autofree char *shown = got ? stint_json_print(got) : stint_strdup("nothing");
	fail_msg("got    %s\nwanted %s", shown, wanted);
}

static inline struct stint_schema *schema_of(void **state)
{
	return *state;
}

static inline int set_up(void **state)
{
	*state = stint_schema_new();
	return 0;
}

static inline int tear_down(void **state)
{
	stint_schema_free(*state);
	return 0;
}

static inline const struct stint_kind *kind_of(void **state, const char *api_version, const char *kind)
{
	const struct stint_kind *found = stint_schema_kind(schema_of(state), api_version, kind);
	if (!found)
		fail_msg("no kind %s %s", api_version, kind);
	return found;
}

/* The kind that the object itself names. */
static inline const struct stint_kind *kind_in(void **state, const struct stint_json *object)
{
	return kind_of(state, stint_json_string_at(object, "apiVersion"), stint_json_string_at(object, "kind"));
}

static inline void refuse_status(const struct stint_json *status, int64_t code, const char *field, const char *words)
{
	stint_autofree char *shown = stint_json_print(status);
	if (!status || stint_json_int_or(stint_json_get(status, "code"), 0) != code)
		fail_msg("status %s, wanted %lld", shown, (long long)code);
	if (words && !strstr(stint_json_string_or(stint_json_get(status, "message"), ""), words))
		fail_msg("\"%s\" is not in %s", words, shown);
	if (!field)
		return;
	stint_json_each(cause, stint_json_at(status, "details", "causes"))
		if (strcmp(stint_json_string_or(stint_json_get(cause, "field"), ""), field) == 0)
			return;
	fail_msg("no cause for %s in %s", field, shown);
}

#endif
