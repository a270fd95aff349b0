/*
 * Content negotiation: which form an Accept header field asks for. Clients list several in order of preference, with Table or
 * PartialObjectMetadata as parameters; the best that is known wins.
 */
#include "rest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_CLAUSES = 50 };

/* One clause of Accept, taken apart. */
struct clause {
	char *type;
	const char *as, *group, *version;
	double quality;
};

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

static void read_clause(char *text, struct clause *clause)
{
	*clause = (struct clause){.as = "", .group = "", .version = "", .quality = 1};
	for (char *part = text, *next; part; part = next) {
		char *value;

		next = strchr(part, ';');
		if (next)
			*next++ = '\0';
		part = trim(part);
		if (!clause->type) {
			clause->type = part;
			continue;
		}
		value = strchr(part, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (strcmp(part, "as") == 0)
			clause->as = value;
		else if (strcmp(part, "g") == 0)
			clause->group = value;
		else if (strcmp(part, "v") == 0)
			clause->version = value;
		else if (strcmp(part, "q") == 0 && !stint_parse_double(value, 0, 1, &clause->quality))
			clause->quality = 0;
	}
}

/* False: nothing that we can make. */
static bool take_clause(const struct clause *clause, struct rest_form *form)
{
	bool json =
		!strcasecmp(clause->type, "application/json") || !strcmp(clause->type, "*/*") || !strcasecmp(clause->type, "application/*");
	bool yaml = !strcasecmp(clause->type, "application/yaml");
	struct rest_form found = {.yaml = yaml};

	if (!json && !yaml)
		return false;
	if (strcmp(clause->as, "Table") == 0)
		found.as = REST_AS_TABLE;
	else if (strcmp(clause->as, "PartialObjectMetadata") == 0 || strcmp(clause->as, "PartialObjectMetadataList") == 0)
		found.as = REST_AS_PARTIAL, found.list = strcmp(clause->as, "PartialObjectMetadataList") == 0;
	else if (strcmp(clause->as, "APIGroupDiscoveryList") == 0)
		found.as = REST_AS_DISCOVERY;
	else if (*clause->as)
		return false;
	if ((found.as == REST_AS_TABLE || found.as == REST_AS_PARTIAL) &&
		(strcmp(clause->group, "meta.k8s.io") != 0 || strcmp(clause->version, "v1") != 0))
		return false;
	if (found.as == REST_AS_DISCOVERY) {
		found.version = strcmp(clause->version, "v2") == 0 ? "v2" : "v2beta1";
		if (strcmp(clause->version, found.version) != 0)
			return false;
	}
	*form = found;
	return true;
}

static bool accepts_gzip(const struct stint_httpd_request *http)
{
	const char *encodings = stint_httpd_header(http, "Accept-Encoding");
	stint_autofree char **words = encodings ? stint_split(encodings, ", ;") : NULL;
	bool found = false;

	for (char **word = words; word && *word; word++) {
		found = found || strcmp(*word, "gzip") == 0;
		free(*word);
	}
	return found;
}

static void read_include(const struct stint_httpd_request *http, struct rest_form *form)
{
	const char *include = stint_httpd_query(http, "includeObject");

	form->no_object = include && strcmp(include, "None") == 0;
	form->whole_object = include && strcmp(include, "Object") == 0;
}

bool rest_form_read(struct stint_httpd_request *http, struct rest_form *form)
{
	const char *accept = stint_httpd_header(http, "Accept");
	stint_autofree char *copy = stint_strdup(accept && *accept ? accept : "*/*");
	double best = 0;
	int clauses = 0;

	*form = (struct rest_form){0};
	for (char *at = copy, *next; at && clauses++ < MAX_CLAUSES; at = next) {
		struct clause clause;
		struct rest_form found;

		next = strchr(at, ',');
		if (next)
			*next++ = '\0';
		read_clause(at, &clause);
		if (!take_clause(&clause, &found) || clause.quality <= best)
			continue;
		best = clause.quality;
		*form = found;
	}
	form->gzip = accepts_gzip(http);
	read_include(http, form);
	return best > 0;
}

char *rest_body_type(const struct stint_httpd_request *http)
{
	const char *type = stint_httpd_header(http, "Content-Type");
	char *copy = stint_strndup(type ? type : "", type ? strcspn(type, "; ") : 0);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

struct stint_slice rest_body(struct rest *rest)
{
	struct stint_slice body = stint_httpd_body(rest->http);

	if (rest->body.data)
		return (struct stint_slice){rest->body.data, rest->body.length};
	if (body.length == 0)
		return stint_slice_of("");
	if (stint_utf8_valid(body.data, body.length) == body.length)
		return body;
	/* Once stored, it would make every list that it is in unreadable. */
	stint_utf8_clean(&rest->body, body.data, body.length);
	return (struct stint_slice){rest->body.data, rest->body.length};
}

bool rest_flag(const struct stint_httpd_request *http, const char *name)
{
	static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True"};
	const char *value = stint_httpd_query(http, name);

	for (size_t i = 0; value && i < STINT_COUNT(words); i++) {
		if (strcmp(value, words[i]) == 0)
			return true;
	}
	return value && !*value; /* "?watch" alone counts */
}
