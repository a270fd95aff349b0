/*
 * The forms of names that Kubernetes knows, and the sentences with which it refuses others.
 */
#include "core/sandbox/schema/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Letters of `inner` or '-' within, alphanumerical at both ends. */
static bool framed(const char *text, size_t length, bool (*end)(char c), const char *inner)
{
	if (!length || !end(text[0]) || !end(text[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!end(text[i]) && !strchr(inner, text[i]))
			return false;
	return true;
}

static const char *label_problem(const char *text)
{
	size_t length = strlen(text);
	if (length > 63)
		return "must be no more than 63 characters";
	if (framed(text, length, lower_alnum, "-"))
		return NULL;
	if (strchr(text, '.'))
		return "must not contain dots";
	return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
	       "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
}

static const char *label_1035_problem(const char *text)
{
	size_t length = strlen(text);
	if (length > 63)
		return "must be no more than 63 characters";
	if (framed(text, length, lower_alnum, "-") && isalpha((unsigned char)text[0]))
		return NULL;
	return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
	       "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
}

static bool is_subdomain(const char *text)
{
	for (const char *at = text;;) {
		size_t length = strcspn(at, ".");
		if (!framed(at, length, lower_alnum, "-"))
			return false;
		if (!at[length])
			return true;
		at += length + 1;
	}
}

static const char *subdomain_problem(const char *text)
{
	if (strlen(text) > 253)
		return "must be no more than 253 characters";
	if (is_subdomain(text))
		return NULL;
	return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
	       "an alphanumeric character (e.g. 'example.com', regex used for validation is "
	       "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
}

#define QUALIFIED_RULE                                                                                                                     \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', " \
	" "                                                                                                                                \
	"or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static const char *qualified_problem(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	if (slash && strchr(name, '/'))
		return "a qualified name " QUALIFIED_RULE " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
	if (slash) {
		stint_autofree char *prefix = stint_strndup(text, (size_t)(slash - text));
		if (!*prefix)
			return "prefix part must be non-empty";
		if (strlen(prefix) > 253)
			return "prefix part must be no more than 253 characters";
		if (!is_subdomain(prefix))
			return "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
			       "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation "
			       "is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
	}
	if (!*name)
		return "name part must be non-empty";
	if (strlen(name) > 63)
		return "name part must be no more than 63 characters";
	return framed(name, strlen(name), alnum, "-_.") ? NULL : "name part " QUALIFIED_RULE;
}

static const char *label_value_problem(const char *text)
{
	size_t length = strlen(text);
	if (length > 63)
		return "must be no more than 63 characters";
	if (!length || framed(text, length, alnum, "-_."))
		return NULL;
	return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
	       "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
	       "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

static const char *path_segment_problem(const char *text)
{
	if (strcmp(text, ".") == 0)
		return "may not be '.'";
	if (strcmp(text, "..") == 0)
		return "may not be '..'";
	if (strchr(text, '/'))
		return "may not contain '/'";
	return strchr(text, '%') ? "may not contain '%'" : NULL;
}

static const char *config_key_problem(const char *text)
{
	if (strlen(text) > 253)
		return "must be no more than 253 characters";
	bool fine = *text;
	for (const char *at = text; *at; at++)
		fine &= alnum(*at) || strchr("-._", *at);
	if (!fine)
		return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
		       "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
	if (strcmp(text, ".") == 0)
		return "must not be '.'";
	if (strcmp(text, "..") == 0)
		return "must not be '..'";
	return stint_starts_with(text, "..") ? "must not start with '..'" : NULL;
}

static const char *environment_problem(const char *text)
{
	if (!*text)
		return "environment variable name must be non-empty";
	for (const char *at = text; *at; at++)
		if (*at < 32 || *at > 126 || *at == '=')
			return "a valid environment variable name must consist only of printable ASCII characters other than '='";
	return NULL;
}

static const char *port_problem(const char *text)
{
	size_t length = strlen(text);
	bool letter = false;
	if (length > 15)
		return "must be no more than 15 characters";
	for (const char *at = text; *at; at++) {
		if (!lower_alnum(*at) && *at != '-')
			return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
		letter |= isalpha((unsigned char)*at) != 0;
	}
	if (!letter)
		return "must contain at least one letter (a-z)";
	if (strstr(text, "--"))
		return "must not contain consecutive hyphens";
	return text[0] == '-' || text[length - 1] == '-' ? "must not begin or end with a hyphen" : NULL;
}

static const char *c_identifier_problem(const char *text)
{
	bool fine = *text && !isdigit((unsigned char)*text);
	for (const char *at = text; *at; at++)
		fine &= alnum(*at) || *at == '_';
	return fine ? NULL
		    : "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters "
		      "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
}

const char *schema_name_problem(enum name_form form, const char *text)
{
	switch (form) {
	case NAME_LABEL: return label_problem(text);
	case NAME_SUBDOMAIN: return subdomain_problem(text);
	case NAME_LABEL_1035: return label_1035_problem(text);
	case NAME_QUALIFIED: return qualified_problem(text);
	case NAME_LABEL_VALUE: return label_value_problem(text);
	case NAME_PATH_SEGMENT: return path_segment_problem(text);
	case NAME_CONFIG_KEY: return config_key_problem(text);
	case NAME_ENVIRONMENT: return environment_problem(text);
	case NAME_PORT: return port_problem(text);
	case NAME_C_IDENTIFIER: return c_identifier_problem(text);
	}
	return NULL;
}

void schema_check_name(struct check *check, const char *field, const char *text, enum name_form form)
{
	const char *problem = text ? schema_name_problem(form, text) : NULL;
	if (problem)
		schema_check_bad_text(check, field, text, "%s", problem);
}
