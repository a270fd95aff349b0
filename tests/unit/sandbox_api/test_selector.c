/*
 * What selectors promise: the grammar of apimachinery, its refusals, and which objects they mean.
 */
#include "core/sandbox/selector.h"
#include "support.h"

/* A selector means the objects whose letters it lists; NULL: it is refused. */
struct row {
	const char *selector;
	const char *means;
};

static const struct row label_rows[] = {
	{"", "abcd"},
	{"color=red", "a"},
	{"color==red", "a"},
	{"color!=red", "bcd"},
	{"color in (red,blue)", "ab"},
	{"color in ( red , blue ),size=1", "ab"},
	{"color notin (red,blue)", "cd"},
	{"color", "abc"},
	{"!color", "d"},
	{"color,color!=green", "ab"},
	{"color=", ""},
	{"size>0", "ab"},
	{"size<1", ""},
	{"size>1", ""},
	{"example.com/shape=round", "d"},
	{"color in ()", ""},
	{"a in", NULL},
	{"=b", NULL},
	{"a in (b", NULL},
	{"a=b=c", NULL},
	{"a,,b", NULL},
	{"a,", NULL},
	{",a", NULL},
	{"-x=1", NULL},
	{"x/y/z=1", NULL},
	{"a=b c", NULL},
	{"a b", NULL},
	{"size>x", NULL},
	{"a=-b", NULL},
};

static const struct row field_rows[] = {
	{"metadata.name=a", "a"},
	{"metadata.name!=a", "bcd"},
	{"metadata.name==b,metadata.namespace=default", "b"},
	{"metadata.name=a,metadata.name=b", ""},
	{",metadata.name=a,", "a"},
	{"metadata.name=a\\,b", ""},
	{"data.x=1", NULL},
	{"metadata.name", NULL},
	{"metadata.name=a=b", NULL},
	{"metadata.name=a\\b", NULL},
};

static void make_objects(struct cluster *cluster)
{
	static const char *const objects[] = {
		"{'metadata':{'name':'a','labels':{'color':'red','size':'1'}}}",
		"{'metadata':{'name':'b','labels':{'color':'blue','size':'1'}}}",
		"{'metadata':{'name':'c','labels':{'color':'green'}}}",
		"{'metadata':{'name':'d','labels':{'example.com/shape':'round'}}}",
	};

	for (size_t i = 0; i < STINT_COUNT(objects); i++)
		stint_json_free(must_create(cluster, cluster->maps, objects[i]));
}

static void check(struct cluster *cluster, const struct row *row, bool fields)
{
	stint_auto_json *status = NULL;
	stint_auto_store_list list = {0};
	stint_auto_buf got = {0};
	stint_auto_selector *selector =
		stint_selector_parse(cluster->maps, fields ? NULL : row->selector, fields ? row->selector : NULL, &status);

	if (!row->means) {
		if (selector)
			fail_msg("\"%s\" was accepted", row->selector);
		assert_int_equal(stint_json_int_or(stint_json_get(status, "code"), 0), 400);
		return;
	}
	if (!selector)
		fail_msg("\"%s\": %s", row->selector, stint_json_string_at(status, "message"));
	stint_store_list(cluster->api->store, cluster->maps, "default", &list);
	for (size_t i = 0; i < list.count; i++) {
		if (stint_selector_matches(selector, list.items[i]))
			stint_buf_puts(&got, list.items[i]->name);
	}
	if (strcmp(got.data ? got.data : "", row->means) != 0)
		fail_msg("\"%s\" means \"%s\", not \"%s\"", row->selector, got.data ? got.data : "", row->means);
}

static void test_label_selectors_mean_what_they_say(void **state)
{
	make_objects(*state);
	for (size_t i = 0; i < STINT_COUNT(label_rows); i++)
		check(*state, &label_rows[i], false);
}

static void test_field_selectors_mean_what_they_say(void **state)
{
	make_objects(*state);
	for (size_t i = 0; i < STINT_COUNT(field_rows); i++)
		check(*state, &field_rows[i], true);
}

static void test_a_label_selector_object_means_the_same_as_its_text(void **state)
{
	static const struct {
		const char *object, *text;
		bool matches;
	} rows[] = {
		{"{}", "", true},
		{"{'matchLabels':{'color':'red'}}", "color=red", true},
		{"{'matchLabels':{'color':'blue'}}", "color=blue", false},
		{"{'matchExpressions':[{'key':'color','operator':'In','values':['red','blue']}]}", "color in (blue,red)", true},
		{"{'matchExpressions':[{'key':'color','operator':'NotIn','values':['red']}]}", "color notin (red)", false},
		{"{'matchExpressions':[{'key':'color','operator':'Exists'},{'key':'x','operator':'DoesNotExist'}]}", "color,!x", true},
	};
	struct cluster *cluster = *state;
	const struct stint_stored *red;

	make_objects(cluster);
	red = stint_store_get(cluster->api->store, cluster->maps, "default", "a");
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_auto_json *object = json(rows[i].object);
		stint_auto_selector *selector = stint_selector_of(object);
		stint_autofree char *text = stint_selector_text(object);

		assert_int_equal(stint_selector_matches(selector, red), rows[i].matches);
		assert_string_equal(text, rows[i].text);
	}

	stint_auto_selector *none = stint_selector_of(NULL);
	assert_false(stint_selector_matches(none, red));
}

static void test_the_fields_of_pods_are_known_without_parsing_them(void **state)
{
	struct cluster *cluster = *state;
	stint_auto_json *pod = must_create(cluster, cluster->pods,
		"{'metadata':{'name':'p'},'spec':{'nodeName':'n1','schedulerName':'s','containers':[{'name':'c','image':'i'}]}}");
	const struct stint_stored *stored = stint_store_get(cluster->api->store, cluster->pods, "default", "p");
	static const struct {
		const char *selector;
		bool matches;
	} rows[] = {
		{"spec.nodeName=n1", true},
		{"spec.nodeName=", false},
		{"spec.nodeName!=", true},
		{"status.phase=Pending,spec.schedulerName=s", true},
		{"spec.restartPolicy=Always,spec.hostNetwork=false", true},
		{"spec.serviceAccountName=default", true},
		{"status.podIP=10.0.0.1", false},
	};

	assert_non_null(pod);
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_auto_selector *selector = stint_selector_parse(cluster->pods, NULL, rows[i].selector, NULL);

		if (stint_selector_matches(selector, stored) != rows[i].matches)
			fail_msg("%s", rows[i].selector);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_label_selectors_mean_what_they_say, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_field_selectors_mean_what_they_say, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_a_label_selector_object_means_the_same_as_its_text, cluster_up, cluster_down),
		cmocka_unit_test_setup_teardown(test_the_fields_of_pods_are_known_without_parsing_them, cluster_up, cluster_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
