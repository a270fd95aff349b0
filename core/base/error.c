/*
 * Errors: one object that says what went wrong in a sentence, with the code that a program exits with.
 * The setters return false, so that a failing function ends in one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/base.h>

static bool put(struct stint_error **err, enum stint_code code, char *message)
{
	if (!err) {
		free(message);
		return false;
	}
	stint_error_free(*err);
	*err = stint_alloc(sizeof(**err));
	(*err)->code = code;
	(*err)->retry_after_ms = -1;
	(*err)->message = message;
	return false;
}

bool stint_fail(struct stint_error **err, enum stint_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *message = stint_vformat(format, args);
	va_end(args);
	return put(err, code, message);
}

bool stint_fail_errno(struct stint_error **err, int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *what = stint_vformat(format, args);
	va_end(args);
	char reason[128];
	return put(err, STINT_FAILED, stint_format("%s: %s", what, strerror_r(errnum, reason, sizeof(reason))));
}

bool stint_fail_wrap(struct stint_error **err, const char *format, ...)
{
	if (!err || !*err)
		return false;
	va_list args;
	va_start(args, format);
	stint_autofree char *what = stint_vformat(format, args);
	va_end(args);
	char *message = stint_format("%s: %s", what, (*err)->message);
	free((*err)->message);
	(*err)->message = message;
	return false;
}

bool stint_error_move(struct stint_error **to, struct stint_error **from)
{
	if (to) {
		stint_error_free(*to);
		*to = *from;
	} else {
		stint_error_free(*from);
	}
	*from = NULL;
	return false;
}

void stint_error_free(struct stint_error *err)
{
	if (!err)
		return;
	free(err->message);
	free(err);
}

void stint_error_clear(struct stint_error **err)
{
	stint_error_free(*err);
	*err = NULL;
}
