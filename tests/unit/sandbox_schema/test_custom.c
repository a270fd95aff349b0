/*
 * Kinds that a CustomResourceDefinition makes: served, pruned, defaulted, checked, applied, described and removed.
 */
#include "support.h"

static const char definition[] =
	"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':'gadgets.example.com'},'spec':{"
	"'group':'example.com','scope':'Namespaced','names':{'plural':'gadgets','kind':'Gadget','shortNames':['gg']},'versions':["
	"{'name':'v1','served':true,'storage':true,'subresources':{'status':{}},'schema':{'openAPIV3Schema':{'type':'object','properties':{"
	"'spec':{'type':'object','required':['size'],'properties':{'size':{'type':'integer','minimum':1,'maximum':5},"
	"'mode':{'type':'string','enum':['fast','slow'],'default':'slow'},'tag':{'type':'string','pattern':'^[a-z]+$','maxLength':4},"
	"'parts':{'type':'array','x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['id'],'items':{'type':'object','required':"
	"['id'],'properties':{'id':{'type':'string'},'n':{'type':'integer'}}}},"
	"'extra':{'type':'object','x-kubernetes-preserve-unknown-fields':true},'labels':{'type':'object','additionalProperties':{'type':"
	"'string'}},'port':{'x-kubernetes-int-or-string':true}}},'status':{'type':'object','properties':{'phase':{'type':'string'}}}}}}},"
	"{'name':'v2','served':false,'storage':false,'schema':{'openAPIV3Schema':{'type':'object'}}}]}}";

static void add(void **state)
{
	stint_auto_json *object = json_of(definition), *status = NULL;
	stint_schema_default(schema_of(state), kind_in(state, object), object);
	assert_true(stint_schema_validate_create(schema_of(state), kind_in(state, object), object, NULL, &status));
	assert_true(stint_schema_custom_add(schema_of(state), object, &status));
}

static struct stint_json *gadget(const char *spec)
{
	stint_autofree char *text =
		stint_format("{'apiVersion':'example.com/v1','kind':'Gadget','metadata':{'name':'g','namespace':'n'},'spec':%s}", spec);
	return json_of(text);
}

static void a_definition_makes_its_served_versions_known(void **state)
{
	assert_null(stint_schema_kind(schema_of(state), "example.com/v1", "Gadget"));
	add(state);
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	assert_string_equal(kind->list_kind, "GadgetList");
	assert_string_equal(kind->singular, "gadget");
	assert_string_equal(kind->short_names[0], "gg");
	assert_true(kind->namespaced && kind->custom && (kind->subresources & STINT_SUB_STATUS));
	assert_ptr_equal(stint_schema_resource(schema_of(state), "example.com", "v1", "gadgets"), kind);
	assert_null(stint_schema_kind(schema_of(state), "example.com/v2", "Gadget"));
}

static void what_the_schema_does_not_know_is_dropped_where_it_says_so(void **state)
{
	add(state);
	stint_auto_json *object = gadget("{'size':1,'wonder':2,'extra':{'any':{'thing':1}},'labels':{'a':'b'},'parts':[{'id':'a','x':1}]}");
	stint_auto_json *warnings = NULL, *status = NULL;
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	assert_true(stint_schema_decode(schema_of(state), kind, object, STINT_FIELDS_WARN, &warnings, &status));
	stint_schema_default(schema_of(state), kind, object);
	same_json(stint_json_get(object, "spec"),
		"{'size':1,'extra':{'any':{'thing':1}},'labels':{'a':'b'},'parts':[{'id':'a'}],'mode':'slow'}");
	same_json(warnings, "['unknown field \\'spec.wonder\\'','unknown field \\'spec.parts[0].x\\'']");
}

static void values_are_checked_as_the_schema_says(void **state)
{
	static const struct {
		const char *spec, *field, *words; /* field NULL: accepted */
	} cases[] = {
		{"{'size':3,'port':'http'}", NULL, NULL},
		{"{'size':3,'port':80}", NULL, NULL},
		{"{}", "spec.size", "Required value"},
		{"{'size':'3'}", "spec.size", "Invalid value: \"string\": spec.size in body must be of type integer: \"string\""},
		{"{'size':0}", "spec.size", "spec.size in body should be greater than or equal to 1"},
		{"{'size':6}", "spec.size", "spec.size in body should be less than or equal to 5"},
		{"{'size':1,'mode':'x'}", "spec.mode", "Unsupported value: \"x\": supported values: \"fast\", \"slow\""},
		{"{'size':1,'tag':'A'}", "spec.tag", "spec.tag in body should match '^[a-z]+$'"},
		{"{'size':1,'tag':'abcde'}", "spec.tag", "Too long: may not be more than 4 bytes"},
		{"{'size':1,'parts':[{'id':'a'},{'id':'a'}]}", "spec.parts[1]", "Duplicate value"},
		{"{'size':1,'labels':{'a':1}}", "spec.labels.a", "must be of type string"},
		{"{'size':1,'port':true}", "spec.port", "must be of type"},
	};
	add(state);
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = gadget(cases[i].spec), *status = NULL;
		bool fine = stint_schema_validate_create(schema_of(state), kind, object, NULL, &status);
		stint_autofree char *shown = stint_json_print(status);
		if (fine != !cases[i].field)
			fail_msg("%s: %s", cases[i].spec, fine ? "accepted" : shown);
		if (!fine)
			refuse_status(status, 422, cases[i].field, cases[i].words);
	}
}

static void apply_knows_the_keys_of_its_lists(void **state)
{
	add(state);
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	stint_auto_json *first = gadget("{'parts':[{'id':'a','n':1}]}"), *second = gadget("{'parts':[{'id':'b','n':2}]}"), *status = NULL;
	const struct stint_writer one = {.manager = "one", .time = "2026-01-01T00:00:00Z"}, two = {.manager = "two", .time = one.time};
	stint_auto_json *live = stint_schema_apply(schema_of(state), kind, NULL, first, &one, false, &status);
	stint_auto_json *both = stint_schema_apply(schema_of(state), kind, live, second, &two, false, &status);
	same_json(stint_json_at(both, "spec", "parts"), "[{'id':'a','n':1},{'id':'b','n':2}]");
}

static void a_document_describes_the_kind_until_it_is_removed(void **state)
{
	add(state);
	stint_auto_json *before = stint_openapi_index(schema_of(state));
	stint_auto_json *document = stint_openapi_v3(schema_of(state), "apis/example.com/v1");
	const struct stint_json *gadget_schema = stint_json_at(document, "components", "schemas", "com.example.v1.Gadget");
	assert_int_equal(stint_json_int_or(stint_json_at(gadget_schema, "properties", "spec", "properties", "size", "maximum"), 0), 5);
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	stint_auto_json *object = json_of(definition);
	stint_schema_custom_remove(schema_of(state), object);
	assert_true(kind->removed);
	assert_null(stint_schema_kind(schema_of(state), "example.com/v1", "Gadget"));
	assert_null(stint_openapi_v3(schema_of(state), "apis/example.com/v1"));
	stint_auto_json *after = stint_openapi_index(schema_of(state));
	assert_non_null(stint_json_at(before, "paths", "apis/example.com/v1"));
	assert_null(stint_json_at(after, "paths", "apis/example.com/v1"));
}

static void a_changed_definition_changes_the_kind_in_its_place(void **state)
{
	add(state);
	const struct stint_kind *kind = kind_of(state, "example.com/v1", "Gadget");
	add(state);
	assert_ptr_equal(kind_of(state, "example.com/v1", "Gadget"), kind);
	assert_false(kind->removed);
}

static void a_built_in_kind_is_not_for_a_definition_to_replace(void **state)
{
	const struct stint_kind *queue = kind_of(state, "scheduling.run.ai/v2", "Queue");
	stint_auto_json *object =
		json_of("{'spec':{'group':'scheduling.run.ai','scope':'Cluster','names':{'plural':'queues','kind':'Queue'},"
			"'versions':[{'name':'v2','served':true,'storage':true}]}}");
	stint_auto_json *status = NULL;
	assert_true(stint_schema_custom_add(schema_of(state), object, &status));
	stint_schema_custom_remove(schema_of(state), object);
	assert_ptr_equal(kind_of(state, "scheduling.run.ai/v2", "Queue"), queue);
}

static void a_definition_that_contradicts_itself_is_refused(void **state)
{
	static const struct {
		const char *merge, *field;
	} cases[] = {
		{"{'metadata':{'name':'other.example.com'}}", "metadata.name"},
		{"{'spec':{'scope':'Wide'}}", "spec.scope"},
		{"{'spec':{'group':'nodot'}}", "spec.group"},
		{"{'spec':{'versions':[{'name':'v1','served':true,'storage':false,'schema':{'openAPIV3Schema':{'type':'object'}}}]}}",
			"spec.versions"},
		{"{'spec':{'versions':[{'name':'v1','served':true,'storage':true}]}}", "spec.versions[0].schema.openAPIV3Schema"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(definition), *merge = json_of(cases[i].merge), *status = NULL;
		stint_patch_merge(object, merge);
		stint_schema_default(schema_of(state), kind_in(state, object), object);
		assert_false(stint_schema_validate_create(schema_of(state), kind_in(state, object), object, NULL, &status));
		refuse_status(status, 422, cases[i].field, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_definition_makes_its_served_versions_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_schema_does_not_know_is_dropped_where_it_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_are_checked_as_the_schema_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(apply_knows_the_keys_of_its_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_document_describes_the_kind_until_it_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_changed_definition_changes_the_kind_in_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_built_in_kind_is_not_for_a_definition_to_replace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_definition_that_contradicts_itself_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
