/*
 * Field selectors: the fields that each kind offers beside metadata.name and metadata.namespace, their values beside a stored object, and
 * the grammar of fields.ParseSelector.
 */
#include "selector_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELD_TERMS = 100 };

/* path: from the object's root, NULL-ended. absent: the value of a field that is not there. alias: what events.k8s.io calls it. */
struct selectable {
	const char *label;
	const char *alias;
	const char *path[4];
	const char *absent;
};

static const struct selectable pod_fields[] = {
	{"spec.nodeName", NULL, {"spec", "nodeName"}, ""},
	{"spec.restartPolicy", NULL, {"spec", "restartPolicy"}, ""},
	{"spec.schedulerName", NULL, {"spec", "schedulerName"}, ""},
	{"spec.serviceAccountName", NULL, {"spec", "serviceAccountName"}, ""},
	{"spec.hostNetwork", NULL, {"spec", "hostNetwork"}, "false"},
	{"status.phase", NULL, {"status", "phase"}, ""},
	{"status.podIP", NULL, {"status", "podIP"}, ""},
	{"status.nominatedNodeName", NULL, {"status", "nominatedNodeName"}, ""},
	{NULL},
};
static const struct selectable node_fields[] = {{"spec.unschedulable", NULL, {"spec", "unschedulable"}, "false"}, {NULL}};
static const struct selectable namespace_fields[] = {
	{"status.phase", NULL, {"status", "phase"}, ""}, {"name", NULL, {"metadata", "name"}, ""}, {NULL}};
static const struct selectable secret_fields[] = {{"type", NULL, {"type"}, ""}, {NULL}};
static const struct selectable service_fields[] = {
	{"spec.clusterIP", NULL, {"spec", "clusterIP"}, ""}, {"spec.type", NULL, {"spec", "type"}, ""}, {NULL}};
static const struct selectable job_fields[] = {{"status.successful", NULL, {"status", "succeeded"}, "0"}, {NULL}};
static const struct selectable replica_fields[] = {{"status.replicas", NULL, {"status", "replicas"}, "0"}, {NULL}};
static const struct selectable event_fields[] = {
	{"involvedObject.kind", "regarding.kind", {"involvedObject", "kind"}, ""},
	{"involvedObject.namespace", "regarding.namespace", {"involvedObject", "namespace"}, ""},
	{"involvedObject.name", "regarding.name", {"involvedObject", "name"}, ""},
	{"involvedObject.uid", "regarding.uid", {"involvedObject", "uid"}, ""},
	{"involvedObject.apiVersion", "regarding.apiVersion", {"involvedObject", "apiVersion"}, ""},
	{"involvedObject.resourceVersion", "regarding.resourceVersion", {"involvedObject", "resourceVersion"}, ""},
	{"involvedObject.fieldPath", "regarding.fieldPath", {"involvedObject", "fieldPath"}, ""},
	{"reason", NULL, {"reason"}, ""},
	{"reportingComponent", "reportingController", {"reportingComponent"}, ""},
	{"source", NULL, {"source", "component"}, ""},
	{"type", NULL, {"type"}, ""},
	{NULL},
};

static const struct {
	const char *group, *plural;
	const struct selectable *fields;
} selectable_kinds[] = {
	{"", "pods", pod_fields},
	{"", "nodes", node_fields},
	{"", "namespaces", namespace_fields},
	{"", "secrets", secret_fields},
	{"", "services", service_fields},
	{"", "events", event_fields},
	{"events.k8s.io", "events", event_fields},
	{"batch", "jobs", job_fields},
	{"", "replicationcontrollers", replica_fields},
};

static const struct selectable *fields_of(const struct stint_kind *kind)
{
	static const struct selectable none[] = {{NULL}};

	for (size_t i = 0; i < STINT_COUNT(selectable_kinds); i++) {
		if (strcmp(selectable_kinds[i].plural, kind->plural) == 0 && strcmp(selectable_kinds[i].group, kind->group) == 0)
			return selectable_kinds[i].fields;
	}
	return none;
}

void stint_selector_pack(const struct stint_kind *kind, const struct stint_json *object, struct stint_buf *out)
{
	for (const struct selectable *field = fields_of(kind); field->label; field++) {
		const struct stint_json *value = stint_json_at_keys(object, field->path);

		switch (stint_json_type(value)) {
		case STINT_JSON_STRING: stint_buf_puts(out, stint_json_string(value)); break;
		case STINT_JSON_NUMBER:
		case STINT_JSON_BOOL: stint_json_print_to(out, value); break;
		default: stint_buf_puts(out, field->absent); break;
		}
		stint_buf_putc(out, '\0');
	}
}

static const char *value_of(const struct stint_stored *object, int field)
{
	const char *value = object->fields;

	if (field == FIELD_NAME)
		return object->name;
	if (field == FIELD_SPACE)
		return object->space;
	while (field-- > 0)
		value += strlen(value) + 1;
	return value;
}

bool stint_field_matches(const struct requirement *requirement, const struct stint_stored *object)
{
	bool equal = strcmp(value_of(object, requirement->field), requirement->values[0]) == 0;

	return equal == (requirement->how == MATCH_IN);
}

/* ---- the grammar ---------------------------------------------------------------------------------------------------------------- */

static char *find_field(const struct stint_kind *kind, const char *label, int *place)
{
	const struct selectable *fields = fields_of(kind);

	if (strcmp(label, "metadata.name") == 0 || strcmp(label, "metadata.namespace") == 0) {
		*place = strcmp(label, "metadata.name") == 0 ? FIELD_NAME : FIELD_SPACE;
		return NULL;
	}
	for (*place = 0; fields[*place].label; (*place)++) {
		const struct selectable *field = &fields[*place];

		if (strcmp(*kind->group && field->alias ? field->alias : field->label, label) == 0)
			return NULL;
	}
	if (fields->label)
		return stint_format("field label not supported: %s", label);
	return stint_format("\"%s\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", label);
}

/* Takes the backslashes away in place; what is wrong, or NULL. They escape a backslash, a comma or an equals sign. */
static char *unescape_value(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (*in == '\\') {
			in++;
			if (!*in || !strchr("\\,=", *in))
				return stint_format("invalid field selector: invalid escape sequence: \\%c", *in ? *in : ' ');
		} else if (*in == '=' || *in == ',') {
			return stint_format("invalid field selector: unescaped character in value: %d", *in);
		}
		*out++ = *in;
	}
	*out = '\0';
	return NULL;
}

static char *parse_term(struct stint_selector *selector, const struct stint_kind *kind, const char *text, char *term)
{
	char *sign = NULL, *value, *problem;
	enum match_operator how = MATCH_IN;
	struct requirement *added;
	int place;

	for (char *c = term; *c && !sign; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '=' || (*c == '!' && c[1] == '='))
			sign = c;
	}
	if (!sign)
		return stint_format("invalid selector: '%s'; can't understand '%s'", text, term);
	value = sign + (sign[1] == '=' ? 2 : 1);
	if (*sign == '!')
		how = MATCH_NOT_IN;
	*sign = '\0';
	problem = unescape_value(value);
	if (!problem)
		problem = find_field(kind, term, &place);
	if (problem)
		return problem;
	added = stint_selector_add(selector, how, stint_slice_of(term));
	added->field = place;
	stint_requirement_value(added, stint_slice_of(value));
	return NULL;
}

char *stint_selector_parse_fields(struct stint_selector *selector, const struct stint_kind *kind, const char *text)
{
	stint_autofree char *copy = stint_strdup(text);
	char *problem = NULL;
	int terms = 0;

	for (char *term = copy, *end = copy; !problem && term; term = end) {
		while (*end && *end != ',')
			end += *end == '\\' && end[1] ? 2 : 1;
		if (*end)
			*end++ = '\0';
		else
			end = NULL;
		if (++terms > MAX_FIELD_TERMS)
			return stint_strdup("too many terms");
		if (*term)
			problem = parse_term(selector, kind, text, term);
	}
	return problem;
}

struct stint_selector *stint_selector_parse(
	const struct stint_kind *kind, const char *labels, const char *fields, struct stint_json **status)
{
	stint_auto_selector *selector = stint_alloc(sizeof(*selector));
	stint_autofree char *problem = NULL;

	if (labels && *labels)
		problem = stint_selector_parse_labels(selector, labels);
	if (!problem && fields && *fields)
		problem = stint_selector_parse_fields(selector, kind, fields);
	if (problem) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s", problem);
		return NULL;
	}
	return stint_steal(&selector);
}
