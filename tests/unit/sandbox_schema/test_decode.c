/*
 * From bytes to a clean object: quantities, types, unknown and duplicate fields, and the body of an apply.
 */
#include "support.h"

#include "core/sandbox/schema/types.h"

static void a_quantity_is_stored_in_its_canonical_form(void **state)
{
	(void)state;
	static const struct {
		const char *text, *canonical; /* NULL: no quantity */
	} cases[] = {
		{"0", "0"},
		{"1", "1"},
		{"0.5", "500m"},
		{"1500m", "1500m"},
		{"1000m", "1"},
		{"1.5", "1500m"},
		{"2000", "2k"},
		{"1024", "1024"},
		{"1024Mi", "1Gi"},
		{"1.5Gi", "1536Mi"},
		{"100Ki", "100Ki"},
		{"0.5Mi", "512Ki"},
		{"512", "512"},
		{"1e3", "1e3"},
		{"12E", "9223372036854775807"},
		{"-1", "-1"},
		{"-0.5", "-500m"},
		{"+3", "3"},
		{".5", "500m"},
		{"1n", "1n"},
		{"0.1n", "1n"},
		{"1000000000000000000000", "9223372036854775807"},
		{"", NULL},
		{"m", NULL},
		{"1.2.3", NULL},
		{"1 ", NULL},
		{"1KiB", NULL},
		{"1e", NULL},
		{"abc", NULL},
		{"0x10", NULL},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *got = schema_quantity_canonical(cases[i].text);
		if ((!got) != (!cases[i].canonical) || (got && strcmp(got, cases[i].canonical) != 0))
			fail_msg("\"%s\" became %s, not %s", cases[i].text, got ? got : "nothing", cases[i].canonical);
	}
}

static void quantities_are_ordered_by_value_whatever_their_suffix(void **state)
{
	(void)state;
	assert_true(schema_quantity_compare("1Gi", "1024Mi") == 0);
	assert_true(schema_quantity_compare("1Gi", "1G") > 0);
	assert_true(schema_quantity_compare("999m", "1") < 0);
	assert_int_equal(schema_quantity_sign("-1"), -1);
	assert_true(schema_quantity_whole("2000m"));
	assert_false(schema_quantity_whole("0.5"));
}

/* The body is for the kind that it names. */
static struct stint_json *read_body(void **state, const char *api_version, const char *kind, const char *text,
	enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status)
{
	char *copy = stint_strdup(text);
	for (char *at = copy; *at; at++)
		if (*at == '\'')
			*at = '"';
	struct stint_json *object = stint_schema_read(
		schema_of(state), kind_of(state, api_version, kind), copy, strlen(copy), false, validation, warnings, status);
	free(copy);
	return object;
}

static void a_body_that_is_wrong_is_refused_with_400(void **state)
{
	static const struct {
		const char *kind, *body, *words;
	} cases[] = {
		{"Pod", "{", "couldn't get version/kind"},
		{"Pod", "[]", "couldn't get version/kind"},
		{"Pod", "{'kind':'Secret','apiVersion':'v1'}", "Secret in version \"v1\" cannot be handled as a Pod"},
		{"Pod", "{'kind':'Pod','apiVersion':'v2'}", "(v2) does not match the expected API version (v1)"},
		{"Pod", "{'kind':7}", "must be strings"},
		{"Pod", "{'spec':{'containers':'x'}}",
			"cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container"},
		{"Pod", "{'metadata':{'name':7}}", "cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string"},
		{"Pod", "{'metadata':{'labels':['a']}}", "into Go struct field ObjectMeta.metadata.labels of type map[string]string"},
		{"Pod", "{'spec':{'containers':[{'name':1}]}}", "Go struct field Container.spec.containers.name of type string"},
		{"Pod", "{'spec':{'priority':3000000000}}", "number 3000000000 into Go struct field PodSpec.spec.priority of type int32"},
		{"Pod", "{'spec':{'containers':[{'resources':{'limits':{'cpu':'x'}}}]}}", "quantities must match the regular expression"},
		{"Pod", "{'metadata':{'deletionTimestamp':'soon'}}", "parsing time \"soon\""},
		{"ConfigMap", "{'data':{'a':1}}", "Go struct field ConfigMap.data of type string"},
		{"ConfigMap", "{'binaryData':{'a':'!'}}", "illegal base64 data at input byte 0"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *status = NULL;
		stint_auto_json *object = read_body(state, "v1", cases[i].kind, cases[i].body, STINT_FIELDS_WARN, NULL, &status);
		assert_null(object);
		refuse_status(status, 400, NULL, cases[i].words);
	}
}

static void an_unknown_field_is_ignored_told_or_refused_as_asked(void **state)
{
	static const char body[] = "{'metadata':{'name':'a'},'wonder':1,'spec':{'foo':{},'containers':[{'name':'c','bar':2}]}}";
	static const char clean[] = "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'},'spec':{'containers':[{'name':'c'}]}}";
	stint_auto_json *warnings = NULL, *status = NULL;
	stint_auto_json *object = read_body(state, "v1", "Pod", body, STINT_FIELDS_IGNORE, &warnings, &status);
	assert_null(warnings);
	same_json(object, clean);
	stint_auto_json *told = read_body(state, "v1", "Pod", body, STINT_FIELDS_WARN, &warnings, &status);
	same_json(told, clean);
	assert_int_equal(stint_json_count(warnings), 3);
	assert_string_equal(stint_json_string(stint_json_item(warnings, 2)), "unknown field \"spec.containers[0].bar\"");
	assert_null(read_body(state, "v1", "Pod", body, STINT_FIELDS_STRICT, NULL, &status));
	refuse_status(status, 400, NULL, "strict decoding error: unknown field \"wonder\", unknown field \"spec.foo\"");
}

static void a_key_that_stands_twice_is_found_at_any_depth(void **state)
{
	stint_auto_json *warnings = NULL, *status = NULL;
	stint_auto_json *object =
		read_body(state, "v1", "ConfigMap", "{'data':{'a':'1','b':'2','a':'3','a':'4'}}", STINT_FIELDS_WARN, &warnings, &status);
	same_json(stint_json_get(object, "data"), "{'a':'4','b':'2'}");
	same_json(warnings, "['duplicate field \\'data.a\\'']");
	assert_null(read_body(state, "v1", "Pod", "{'spec':{'containers':[{'name':'a','name':'b'}]}}", STINT_FIELDS_STRICT, NULL, &status));
	refuse_status(status, 400, NULL, "duplicate field \"spec.containers[0].name\"");
}

static void scalars_are_stored_as_a_server_stores_them(void **state)
{
	stint_auto_json *status = NULL;
	stint_auto_json *object = read_body(state, "v1", "Pod",
		"{'metadata':{'creationTimestamp':'2026-01-01T02:00:00.7+01:00','labels':null},"
		"'spec':{'nodeName':null,'containers':[{'resources':{'limits':{'cpu':0.5,'memory':'2048Ki'}}}]}}",
		STINT_FIELDS_STRICT, NULL, &status);
	same_json(stint_json_get(object, "metadata"), "{'creationTimestamp':'2026-01-01T01:00:00Z'}");
	same_json(stint_json_get(object, "spec"), "{'containers':[{'resources':{'limits':{'cpu':'500m','memory':'2Mi'}}}]}");
}

static void a_custom_object_keeps_its_values_and_loses_unknown_fields(void **state)
{
	stint_auto_json *warnings = NULL, *status = NULL;
	stint_auto_json *object = read_body(state, "scheduling.run.ai/v2alpha2", "PodGroup",
		"{'apiVersion':'scheduling.run.ai/v2alpha2','kind':'PodGroup','spec':{'minMember':'two','wonder':1}}", STINT_FIELDS_WARN,
		&warnings, &status);
	same_json(stint_json_get(object, "spec"), "{'minMember':'two'}");
	assert_int_equal(stint_json_count(warnings), 1);
	assert_null(read_body(state, "scheduling.run.ai/v2", "Queue", "{'spec':{}}", STINT_FIELDS_WARN, NULL, &status));
	refuse_status(status, 400, NULL, "Object 'Kind' is missing");
}

static void an_applied_configuration_fits_its_types_exactly(void **state)
{
	static const struct {
		const char *body;
		int code;
		const char *words;
	} cases[] = {
		{"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a'}}", 400, "invalid object type: /v1, Kind=Secret"},
		{"{'metadata':{'name':'a'}}", 400, "invalid object type: /, Kind="},
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'name':true}}", 500, ".metadata.name: expected string, got true"},
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'},'wonder':1}", 500, ".wonder: field not declared in schema"},
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'},'spec':{'containers':[{'name':'c'},{'name':'c'}]}}", 500,
			".spec.containers: duplicate entries for key [name=\"c\"]"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'name':'c','image':1}]}}", 500,
			".spec.containers[name=\"c\"].image: expected string"},
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a','labels':null}}", 0, NULL},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *config = json_of(cases[i].body), *status = NULL;
		bool fine = stint_schema_decode_applied(
			schema_of(state), kind_of(state, "v1", "Pod"), config, STINT_FIELDS_WARN, NULL, &status);
		assert_int_equal(fine, cases[i].code == 0);
		if (!fine)
			refuse_status(status, cases[i].code, NULL, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quantity_is_stored_in_its_canonical_form),
		cmocka_unit_test(quantities_are_ordered_by_value_whatever_their_suffix),
		cmocka_unit_test(a_body_that_is_wrong_is_refused_with_400),
		cmocka_unit_test(an_unknown_field_is_ignored_told_or_refused_as_asked),
		cmocka_unit_test(a_key_that_stands_twice_is_found_at_any_depth),
		cmocka_unit_test(scalars_are_stored_as_a_server_stores_them),
		cmocka_unit_test(a_custom_object_keeps_its_values_and_loses_unknown_fields),
		cmocka_unit_test(an_applied_configuration_fits_its_types_exactly),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
