/*
 * The tables themselves: every type that a field names is defined, every kind can be found, documents can be made of them.
 */
#include "support.h"

#include "core/sandbox/schema/types.h"

static void every_type_that_is_named_is_defined(void **state)
{
	size_t at = 0;
	const char *name;
	void *type;
	while (stint_map_next(schema_of(state)->types, &at, &name, &type))
		if (!((struct stint_type *)type)->defined)
			fail_msg("%s is named and not defined", name);
}

static void every_map_list_has_its_keys_as_fields(void **state)
{
	size_t at = 0;
	const char *name;
	void *value;
	while (stint_map_next(schema_of(state)->types, &at, &name, &value)) {
		const struct stint_type *type = value;
		for (size_t i = 0; i < type->field_count; i++) {
			const struct stint_type *list = type->fields[i].type;
			if (type->fields[i].merge_key && !schema_field(list->item, type->fields[i].merge_key))
				fail_msg("%s.%s: no merge key", name, type->fields[i].name);
			for (const char *const *key = list->keys; list->topology == LIST_MAP && *key; key++)
				if (!schema_field(list->item, *key))
					fail_msg("%s.%s: no key %s", name, type->fields[i].name, *key);
		}
	}
}

static void every_kind_is_found_by_kind_and_by_resource(void **state)
{
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(schema_of(state), &count);
	assert_true(count > 50);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(stint_schema_kind(schema_of(state), kinds[i]->api_version, kinds[i]->kind), kinds[i]);
		if (kinds[i]->plural)
			assert_ptr_equal(
				stint_schema_resource(schema_of(state), kinds[i]->group, kinds[i]->version, kinds[i]->plural), kinds[i]);
	}
	assert_null(stint_schema_kind(schema_of(state), "v1", "Wonder"));
	const struct stint_kind *pod = kind_of(state, "v1", "Pod");
	assert_string_equal(pod->list_kind, "PodList");
	assert_string_equal(pod->singular, "pod");
	assert_string_equal(pod->short_names[0], "po");
	assert_true(pod->namespaced);
	assert_false(kind_of(state, "v1", "Node")->namespaced);
	assert_true(kind_of(state, "scheduling.run.ai/v2", "Queue")->custom);
}

static void an_openapi_document_names_kinds_and_the_parameters_of_writes(void **state)
{
	stint_auto_json *document = stint_openapi_v3(schema_of(state), "apis/batch/v1");
	const struct stint_json *schemas = stint_json_at(document, "components", "schemas");
	const struct stint_json *spec = stint_json_at(schemas, "io.k8s.api.batch.v1.JobSpec", "properties");
	assert_string_equal(stint_json_string_at(spec, "backoffLimit", "type"), "integer");
	const struct stint_json *kinds = stint_json_at(schemas, "io.k8s.api.batch.v1.Job", "x-kubernetes-group-version-kind");
	same_json(kinds, "[{'group':'batch','kind':'Job','version':'v1'}]");
	assert_non_null(stint_json_get(schemas, "io.k8s.api.core.v1.PodSpec"));
	const struct stint_json *patch = stint_json_at(document, "paths", "/apis/batch/v1/namespaces/{namespace}/jobs/{name}", "patch");
	same_json(stint_json_get(patch, "x-kubernetes-group-version-kind"), "{'group':'batch','kind':'Job','version':'v1'}");
	bool found = false;
	stint_json_each(parameter, stint_json_get(patch, "parameters"))
		found |= strcmp(stint_json_string_at(parameter, "name"), "fieldValidation") == 0;
	assert_true(found);
	assert_null(stint_openapi_v3(schema_of(state), "apis/wonders/v1"));
}

static void the_openapi_index_leads_to_every_document(void **state)
{
	stint_auto_json *index = stint_openapi_index(schema_of(state));
	const char *url = stint_json_string_at(index, "paths", "api/v1", "serverRelativeURL");
	assert_true(stint_starts_with(url, "/openapi/v3/api/v1?hash="));
	stint_json_each(path, stint_json_get(index, "paths")) {
		stint_auto_json *document = stint_openapi_v3(schema_of(state), stint_json_key(path));
		assert_non_null(document);
	}
}

static void every_reference_in_openapi_can_be_followed(void **state)
{
	stint_auto_json *document = stint_openapi_v2(schema_of(state));
	stint_autofree char *text = stint_json_print(document);
	const struct stint_json *definitions = stint_json_get(document, "definitions");
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, "#/definitions/")); count++) {
		at += strlen("#/definitions/");
		stint_autofree char *name = stint_strndup(at, strcspn(at, "\""));
		if (!stint_json_get(definitions, name))
			fail_msg("no definition of %s", name);
	}
	assert_true(count > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_that_is_named_is_defined),
		cmocka_unit_test(every_map_list_has_its_keys_as_fields),
		cmocka_unit_test(every_kind_is_found_by_kind_and_by_resource),
		cmocka_unit_test(an_openapi_document_names_kinds_and_the_parameters_of_writes),
		cmocka_unit_test(the_openapi_index_leads_to_every_document),
		cmocka_unit_test(every_reference_in_openapi_can_be_followed),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
