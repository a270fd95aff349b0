/*
 * metav1.Status objects for refusals, worded as apimachinery's errors package words them.
 */
#include "core/sandbox/schema/types.h"

#include <string.h>

static struct stint_json *status_of(int code, const char *reason, const struct stint_kind *kind, bool by_kind, const char *name,
	struct stint_json *causes, const char *message)
{
	struct stint_json *status = stint_json_new_object();
	stint_json_set_string(status, "kind", "Status");
	stint_json_set_string(status, "apiVersion", "v1");
	stint_json_set(status, "metadata", stint_json_new_object());
	stint_json_set_string(status, "status", "Failure");
	stint_json_set_string(status, "message", message);
	if (*reason)
		stint_json_set_string(status, "reason", reason);
	if (kind || causes || name) {
		struct stint_json *details = stint_json_set(status, "details", stint_json_new_object());
		if (name && *name)
			stint_json_set_string(details, "name", name);
		if (kind && *kind->group)
			stint_json_set_string(details, "group", kind->group);
		if (kind)
			stint_json_set_string(details, "kind", by_kind || !kind->plural ? kind->kind : kind->plural);
		if (causes)
			stint_json_set(details, "causes", causes);
	}
	stint_json_set_int(status, "code", code);
	return status;
}

struct stint_json *stint_status_new(
	int code, const char *reason, const struct stint_kind *kind, const char *name, struct stint_json *causes, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	return status_of(code, reason, kind, false, name, causes, message);
}

void stint_cause_add(struct stint_json *causes, const char *reason, const char *field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	struct stint_json *cause = stint_json_append(causes, stint_json_new_object());
	stint_json_set_string(cause, "reason", reason);
	stint_json_set_string(cause, "message", message);
	stint_json_set_string(cause, "field", field);
}

struct stint_json *stint_status_invalid(const struct stint_kind *kind, const char *name, struct stint_json *causes)
{
	struct stint_json *first = stint_json_first(causes);
	if (!first) {
		stint_json_free(causes);
		return NULL;
	}
	stint_auto_buf message = {0};
	if (kind)
		stint_buf_printf(&message, "%s%s%s ", kind->kind, *kind->group ? "." : "", kind->group);
	stint_buf_printf(&message, "\"%s\" is invalid: ", name ? name : "");
	bool several = stint_json_next(first) != NULL;
	if (several)
		stint_buf_putc(&message, '[');
	stint_json_each(cause, causes) {
		if (cause != first)
			stint_buf_puts(&message, ", ");
		stint_buf_printf(&message, "%s: %s", stint_json_string_or(stint_json_get(cause, "field"), ""),
			stint_json_string_or(stint_json_get(cause, "message"), ""));
	}
	if (several)
		stint_buf_putc(&message, ']');
	return status_of(422, "Invalid", kind, true, name, causes, message.data);
}
