/*
 * The three patches: RFC 7386, RFC 6902 and strategic merge.
 */
#include "support.h"

static void a_merge_patch_is_merged_as_rfc_7386_has_it(void **state)
{
	(void)state;
	static const struct {
		const char *object, *patch, *wanted; /* wanted NULL: refused */
	} cases[] = {
		{"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
		{"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
		{"{'a':'b'}", "{'a':null}", "{}"},
		{"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
		{"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
		{"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}"},
		{"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
		{"{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}"},
		{"{'a':'b'}", "['c']", NULL},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(cases[i].object), *patch = json_of(cases[i].patch);
		assert_int_equal(stint_patch_merge(object, patch), cases[i].wanted != NULL);
		if (cases[i].wanted)
			same_json(object, cases[i].wanted);
	}
}

static void a_json_patch_runs_its_operations_in_order(void **state)
{
	static const struct {
		const char *object, *patch;
		int code;
		const char *wanted;
	} cases[] = {
		{"{'a':1}", "[{'op':'add','path':'/b','value':2}]", 0, "{'a':1,'b':2}"},
		{"{'a':[1,3]}", "[{'op':'add','path':'/a/1','value':2},{'op':'add','path':'/a/-','value':4}]", 0, "{'a':[1,2,3,4]}"},
		{"{'a':[1]}", "[{'op':'add','path':'/a/2','value':2}]", 422, NULL},
		{"{'a':1}", "[{'op':'remove','path':'/a'}]", 0, "{}"},
		{"{'a':1}", "[{'op':'remove','path':'/b'}]", 422, NULL},
		{"{'a':1}", "[{'op':'replace','path':'/a','value':null}]", 0, "{'a':null}"},
		{"{'a':1}", "[{'op':'replace','path':'/b','value':2}]", 0, "{'a':1,'b':2}"}, /* not so in RFC 6902 */
		{"{'a':{'x/y':1,'m~n':2}}", "[{'op':'remove','path':'/a/x~1y'},{'op':'replace','path':'/a/m~0n','value':3}]", 0,
			"{'a':{'m~n':3}}"},
		{"{'a':1}", "[{'op':'test','path':'/a','value':1},{'op':'copy','from':'/a','path':'/b'}]", 0, "{'a':1,'b':1}"},
		{"{'a':1}", "[{'op':'test','path':'/a','value':2}]", 422, NULL},
		{"{'a':1}", "[{'op':'test','path':'/b','value':null}]", 0, "{'a':1}"},
		{"{'a':{'b':1}}", "[{'op':'move','from':'/a/b','path':'/c'}]", 0, "{'a':{},'c':1}"},
		{"{'a':{'b':1}}", "[{'op':'move','from':'/a','path':'/a/c'}]", 422, NULL},
		{"{'a':1}", "[{'op':'add','path':'/b/c','value':2}]", 422, NULL},
		{"{'a':1}", "[{'op':'add','path':'b','value':2}]", 422, NULL},
		{"{'a':1}", "[{'op':'wonder','path':'/a'}]", 422, NULL},
		{"{'a':1}", "{'op':'remove'}", 400, NULL},
		{"{'a':1}", "[1]", 400, NULL},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(cases[i].object), *patch = json_of(cases[i].patch), *status = NULL;
		bool fine = stint_patch_json(object, patch, kind_of(state, "v1", "ConfigMap"), "a", &status);
		if (fine != !cases[i].code)
			fail_msg("%s on %s", cases[i].patch, cases[i].object);
		if (fine)
			same_json(object, cases[i].wanted);
		else
			refuse_status(status, cases[i].code, NULL, NULL);
	}
}

/* Forty operations that would make 2^40 copies, and two that would make an object deeper than any that is read. */
static void a_json_patch_cannot_ask_for_the_whole_memory_or_stack(void **state)
{
	stint_auto_buf copies = {0}, pointer = {0}, nest = {0};
	for (int i = 0; i < 40; i++)
		stint_buf_printf(&copies, "%s{'op':'copy','from':'/a','path':'/a/%d'}", i > 0 ? "," : "[", i);
	stint_buf_putc(&copies, ']');
	for (int i = 0; i < 150; i++)
		stint_buf_puts(&nest, "{'a':");
	stint_buf_puts(&nest, "1");
	for (int i = 0; i < 150; i++)
		stint_buf_puts(&nest, "}");
	for (int i = 0; i < 150; i++)
		stint_buf_puts(&pointer, "/a");
	stint_autofree char *copy = stint_format("[{'op':'copy','from':'/a','path':'%s'}]", pointer.data);
	stint_autofree char *add = stint_format("[{'op':'add','path':'%s','value':%s}]", pointer.data, nest.data);
	stint_autofree char *replace = stint_format("[{'op':'replace','path':'%s','value':%s}]", pointer.data, nest.data);
	const struct {
		const char *object, *patch;
	} cases[] = {{"{'a':{'b':'0123456789'}}", copies.data}, {nest.data, copy}, {nest.data, add}, {nest.data, replace}};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(cases[i].object), *patch = json_of(cases[i].patch), *status = NULL;
		assert_false(stint_patch_json(object, patch, kind_of(state, "v1", "ConfigMap"), "a", &status));
		refuse_status(status, 422, NULL, NULL);
	}
}

static void a_strategic_patch_merges_lists_by_their_keys(void **state)
{
#define TWO "{'spec':{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}}"
	static const struct {
		const char *object, *patch;
		int code;
		const char *wanted;
	} cases[] = {
		{TWO, "{'spec':{'containers':[{'name':'b','image':'3'}]}}", 0,
			"{'spec':{'containers':[{'name':'a','image':'1'},{'name':'b','image':'3'}]}}"},
		{TWO, "{'spec':{'containers':[{'name':'c','image':'3'}]}}", 0,
			"{'spec':{'containers':[{'name':'c','image':'3'},{'name':'a','image':'1'},{'name':'b','image':'2'}]}}"},
		{TWO, "{'spec':{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}}", 0,
			"{'spec':{'containers':[{'name':'b','image':'2'},{'name':'a','image':'1'}]}}"},
		{TWO, "{'spec':{'containers':[{'name':'a','$patch':'delete'}]}}", 0, "{'spec':{'containers':[{'name':'b','image':'2'}]}}"},
		{TWO, "{'spec':{'containers':[{'$patch':'replace'},{'name':'z'}]}}", 0, "{'spec':{'containers':[{'name':'z'}]}}"},
		{TWO, "{'spec':{'containers':[{'image':'9'}]}}", 500, NULL},
		{TWO, "{'spec':{'containers':null}}", 0, "{'spec':{}}"},
		{TWO, "{'spec':{'$patch':'replace','nodeName':'n'}}", 0, "{'spec':{'nodeName':'n'}}"},
		{TWO, "{'spec':{'$patch':'wonder'}}", 422, NULL},
		{TWO, "[1]", 400, NULL},
		{"{'spec':{'containers':[{'name':'a','env':[{'name':'X','value':'1'},{'name':'Y','value':'2'}]}]}}",
			"{'spec':{'containers':[{'name':'a','env':[{'name':'X','$patch':'delete'},{'name':'Y','value':'3'}]}]}}", 0,
			"{'spec':{'containers':[{'name':'a','env':[{'name':'Y','value':'3'}]}]}}"},
		{"{'spec':{'tolerations':[{'key':'a'}]}}", "{'spec':{'tolerations':[{'key':'b'}]}}", 0,
			"{'spec':{'tolerations':[{'key':'b'}]}}"},
		{"{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'finalizers':['c']}}", 0,
			"{'metadata':{'finalizers':['c','a','b']}}"},
		{"{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a']}}", 0,
			"{'metadata':{'finalizers':['b']}}"},
		{"{'status':{'conditions':[{'type':'A','status':'True'}]}}",
			"{'status':{'conditions':[{'type':'A','status':'False'},{'type':'B','status':'True'}]}}", 0,
			"{'status':{'conditions':[{'type':'A','status':'False'},{'type':'B','status':'True'}]}}"},
		{"{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}",
			"{'spec':{'volumes':[{'$retainKeys':['name','hostPath'],'name':'v','hostPath':{'path':'/'}}]}}", 0,
			"{'spec':{'volumes':[{'name':'v','hostPath':{'path':'/'}}]}}"},
		{"{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':{'b':'2','c':null}}}", 0,
			"{'metadata':{'labels':{'a':'1','b':'2'}}}"},
		{"{}", "{'spec':{'nodeSelector':{'a':null,'b':'c'}}}", 0, "{'spec':{'nodeSelector':{'b':'c'}}}"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(cases[i].object), *patch = json_of(cases[i].patch), *status = NULL;
		bool fine = stint_patch_strategic(schema_of(state), kind_of(state, "v1", "Pod"), object, patch, &status);
		if (fine != !cases[i].code)
			fail_msg("%s on %s", cases[i].patch, cases[i].object);
		if (fine)
			same_json(object, cases[i].wanted);
		else
			refuse_status(status, cases[i].code, NULL, NULL);
	}
#undef TWO
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_merge_patch_is_merged_as_rfc_7386_has_it),
		cmocka_unit_test(a_json_patch_runs_its_operations_in_order),
		cmocka_unit_test(a_json_patch_cannot_ask_for_the_whole_memory_or_stack),
		cmocka_unit_test(a_strategic_patch_merges_lists_by_their_keys),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
