/* Selectors, affinity terms and tolerations, by table. */
#include <stint/model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct stint_pair label_items[] = {{"app", "web"}, {"cpus", "16"}, {"empty", ""}, {"zone", "a"}};
static const struct stint_pairs labels = {.items = label_items, .count = 4};

static void label_selectors_select_as_kubectl_does(void **state)
{
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
		{"", true},
		{"app", true},
		{"!app", false},
		{"!none", true},
		{"none", false},
		{"app=web", true},
		{"app==web", true},
		{"app = web", true},
		{"app!=web", false},
		{"none!=web", true},
		{"empty=", true},
		{"empty!=", false},
		{"app=web,zone=a", true},
		{"app=web,zone=b", false},
		{"zone in (b, a)", true},
		{"zone in (b,c)", false},
		{"zone notin (b,c)", true},
		{"zone notin (a)", false},
		{"none notin (a)", true},
		{"cpus>8", true},
		{"cpus<8", false},
		{"app>8", false},
		{" zone in(a) , app ", true},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct stint_label_selector *selector = stint_label_selector_parse(rows[i].text, NULL);
		if (!selector)
			fail_msg("\"%s\" was refused", rows[i].text);
		if (stint_label_selector_match(selector, &labels) != rows[i].matches)
			fail_msg("\"%s\" gave the wrong answer", rows[i].text);
		stint_label_selector_free(selector);
	}
}

static void broken_selectors_are_usage_errors(void **state)
{
	static const char *const texts[] = {
		",", "a,", "=b", "a in", "a in b", "a in (b", "a=b=c", "!a=b", "a b", "a;b", "a=b,,c", "a=\"b\""};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		stint_auto_error *err = NULL;
		struct stint_label_selector *selector = stint_label_selector_parse(texts[i], &err);
		if (selector)
			fail_msg("\"%s\" was accepted", texts[i]);
		assert_non_null(err);
		assert_int_equal(err->code, STINT_USAGE);
	}
}

static void tolerations_cover_by_key_operator_value_and_effect(void **state)
{
	static const struct stint_taint taint = {"gpu", "yes", STINT_EFFECT_NO_SCHEDULE};
	static const struct {
		struct stint_toleration toleration;
		bool covers;
	} rows[] = {
		{{NULL, "", true, STINT_EFFECT_ANY, -1}, true},
		{{NULL, "", true, STINT_EFFECT_NO_EXECUTE, -1}, false},
		{{NULL, "yes", false, STINT_EFFECT_ANY, -1}, false},
		{{"gpu", "", true, STINT_EFFECT_ANY, -1}, true},
		{{"gpu", "yes", false, STINT_EFFECT_NO_SCHEDULE, -1}, true},
		{{"gpu", "no", false, STINT_EFFECT_NO_SCHEDULE, -1}, false},
		{{"gpu", "yes", false, STINT_EFFECT_PREFER_NO_SCHEDULE, -1}, false},
		{{"other", "yes", false, STINT_EFFECT_ANY, -1}, false},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		assert_int_equal(stint_toleration_covers(&rows[i].toleration, &taint), rows[i].covers);
		assert_ptr_equal(stint_untolerated_taint(&taint, 1, &rows[i].toleration, 1), rows[i].covers ? NULL : &taint);
	}
}

static void a_preference_of_a_node_keeps_no_pod_off(void **state)
{
	static const struct stint_taint taints[] = {{"a", "", STINT_EFFECT_PREFER_NO_SCHEDULE}, {"b", "", STINT_EFFECT_NO_EXECUTE}};
	(void)state;
	assert_ptr_equal(stint_untolerated_taint(taints, 2, NULL, 0), &taints[1]);
	assert_null(stint_untolerated_taint(taints, 1, NULL, 0));
}

/* Builds a pod with that affinity and asks whether it selects node n1 with labels zone=a, cpus=16. */
static bool selects(const char *spec)
{
	struct stint_model *model = stint_model_new();
	const char *node_json = "{\"metadata\":{\"name\":\"n1\",\"labels\":{\"cpus\":\"16\",\"zone\":\"a\"}}}";
	stint_autofree char *pod_json = stint_format("{\"metadata\":{\"name\":\"p\"},\"spec\":%s}", spec);
	const struct stint_decode_as as_pod = {.kind = STINT_KIND_POD}, as_node = {.kind = STINT_KIND_NODE};
	struct stint_object *pod = stint_object_decode(model, &as_pod, pod_json, strlen(pod_json), NULL);
	struct stint_object *node = stint_object_decode(model, &as_node, node_json, strlen(node_json), NULL);
	assert_non_null(pod);
	assert_non_null(node);
	const bool answer = stint_pod_spec_selects(stint_pod_of(pod)->spec, stint_node_of(node));
	stint_object_unref(pod);
	stint_object_unref(node);
	stint_model_free(model);
	return answer;
}

#define REQUIRED(terms) \
	"{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[" terms "]}}}}"
#define EXPRESSION(key, op, values) "{\"matchExpressions\":[{\"key\":\"" key "\",\"operator\":\"" op "\",\"values\":[" values "]}]}"

static void node_affinity_needs_one_term_and_the_selector_all(void **state)
{
	static const struct {
		const char *spec;
		bool selects;
	} rows[] = {
		{"{}", true},
		{"{\"nodeSelector\":{\"zone\":\"a\"}}", true},
		{"{\"nodeSelector\":{\"zone\":\"a\",\"rack\":\"1\"}}", false},
		{REQUIRED(EXPRESSION("zone", "In", "\"b\",\"a\"")), true},
		{REQUIRED(EXPRESSION("zone", "In", "\"b\"")), false},
		{REQUIRED(EXPRESSION("zone", "In", "\"b\"") "," EXPRESSION("cpus", "Gt", "\"8\"")), true},
		{REQUIRED(EXPRESSION("cpus", "Lt", "\"8\"")), false},
		{REQUIRED(EXPRESSION("rack", "NotIn", "\"1\"")), true},
		{REQUIRED("{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"n1\"]}]}"), true},
		{REQUIRED("{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\",\"values\":[\"n2\"]}]}"), false},
		{REQUIRED("{}"), false},
		{REQUIRED(""), false},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		if (selects(rows[i].spec) != rows[i].selects)
			fail_msg("row %zu gave the wrong answer: %s", i, rows[i].spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_selectors_select_as_kubectl_does),
		cmocka_unit_test(broken_selectors_are_usage_errors),
		cmocka_unit_test(tolerations_cover_by_key_operator_value_and_effect),
		cmocka_unit_test(a_preference_of_a_node_keeps_no_pod_off),
		cmocka_unit_test(node_affinity_needs_one_term_and_the_selector_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
