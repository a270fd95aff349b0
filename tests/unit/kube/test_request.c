/* kube: paths, escaping, and what a server's answer means. Pure. */
#include <stint/kube.h>

#include "core/kube/client.h"
#include "tests/unit/test.h"

static char *path_of(const struct stint_kube_resource *resource, const char *namespace_, const char *name, const char *subresource)
{
	struct stint_buf out = {0};
	stint_kube_path(&out, resource, namespace_, name, subresource);
	return stint_buf_steal(&out);
}

static void test_paths_follow_group_scope_and_subresource(void **state)
{
	(void)state;
	static const struct {
		const struct stint_kube_resource *resource;
		const char *namespace_, *name, *subresource, *path;
	} cases[] = {
		{&stint_kube_pods, "a", NULL, NULL, "/api/v1/namespaces/a/pods"},
		{&stint_kube_pods, NULL, NULL, NULL, "/api/v1/pods"},
		{&stint_kube_pods, "a", "b", "log", "/api/v1/namespaces/a/pods/b/log"},
		{&stint_kube_nodes, "ignored", "n", "status", "/api/v1/nodes/n/status"},
		{&stint_kube_jobs, "a", "j", NULL, "/apis/batch/v1/namespaces/a/jobs/j"},
		{&stint_kube_queues, NULL, "q", NULL, "/apis/scheduling.run.ai/v2/queues/q"},
		{&stint_kube_services, "s", "https:sched:8443", "proxy/v1/why/a/b",
			"/api/v1/namespaces/s/services/https%3Asched%3A8443/proxy/v1/why/a/b"},
		{&stint_kube_pods, "a/../kube-system", "x?y=z#f", NULL, "/api/v1/namespaces/a%2F..%2Fkube-system/pods/x%3Fy%3Dz%23f"},
		{&stint_kube_pods, "..", ".", NULL, "/api/v1/namespaces/%252E%252E/pods/%252E"},
		{&stint_kube_pods, "ü", "a b\n", NULL, "/api/v1/namespaces/%C3%BC/pods/a%20b%0A"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *path = path_of(cases[i].resource, cases[i].namespace_, cases[i].name, cases[i].subresource);
		assert_string_equal(path, cases[i].path);
	}
}

static void test_the_longest_legal_names_are_not_cut(void **state)
{
	(void)state;
	char namespace_[64], name[254], group[254];
	memset(namespace_, 'n', sizeof(namespace_) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(group, 'g', sizeof(group) - 1);
	namespace_[63] = name[253] = group[253] = '\0';
	const struct stint_kube_resource resource = {group, "v1alpha1", "somethings", "Something", true};
	stint_autofree char *path = path_of(&resource, namespace_, name, "status");
	assert_int_equal(strlen(path), strlen("/apis//v1alpha1/namespaces//somethings//status") + 63 + 253 + 253);
}

static void test_query_values_are_escaped_and_absent_ones_left_out(void **state)
{
	(void)state;
	char selector[] = "app in (a,b),tier!=x,k=v+w";
	const struct stint_kube_query query[] = {{"labelSelector", selector}, {"fieldSelector", NULL}, {"limit", "5"}, {NULL, NULL}};
	const struct stint_kube_request request = {.resource = &stint_kube_pods, .query = query};
	stint_auto_buf target = {0};
	kube_request_target(&target, &request);
	assert_string_equal(target.data, "/api/v1/pods?labelSelector=app%20in%20%28a%2Cb%29%2Ctier%21%3Dx%2Ck%3Dv%2Bw&limit=5");
	assert_string_equal(selector, "app in (a,b),tier!=x,k=v+w"); /* the caller's text is the caller's */
}

static void test_resources_are_found_by_version_and_kind(void **state)
{
	(void)state;
	assert_ptr_equal(stint_kube_resource_find("v1", "Pod"), &stint_kube_pods);
	assert_ptr_equal(stint_kube_resource_find("batch/v1", "Job"), &stint_kube_jobs);
	assert_ptr_equal(stint_kube_resource_find("events.k8s.io/v1", "Event"), &stint_kube_events);
	assert_ptr_equal(stint_kube_resource_find("v1", "Event"), &stint_kube_core_events);
	assert_null(stint_kube_resource_find("batch/v1beta1", "Job"));
	assert_null(stint_kube_resource_find("batchx/v1", "Job"));
	assert_null(stint_kube_resource_find("v1", "Job"));
	stint_autofree char *version = stint_kube_resource_api_version(&stint_kube_podgroups);
	assert_string_equal(version, "scheduling.run.ai/v2alpha2");
}

#define STATUS(code, reason, message, more)                                                                                  \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"" message "\",\"reason\":\"" reason \
	"\",\"code\":" code more "}"

static void test_a_status_becomes_a_typed_error(void **state)
{
	(void)state;
	static const struct {
		int http;
		const char *body;
		enum stint_code code;
		const char *reason, *message;
		int64_t retry_ms;
	} cases[] = {
		{404, STATUS("404", "NotFound", "pods \\\"x\\\" not found", ""), STINT_NOT_FOUND, "NotFound", "pods \"x\" not found", -1},
		{409, STATUS("409", "AlreadyExists", "exists", ""), STINT_CONFLICT, "AlreadyExists", "exists", -1},
		{403, STATUS("403", "Forbidden", "User \\\"u\\\" cannot", ""), STINT_FORBIDDEN, "Forbidden", "User \"u\" cannot", -1},
		{401, STATUS("401", "Unauthorized", "Unauthorized", ""), STINT_FORBIDDEN, "Unauthorized", "log in again", -1},
		{422, STATUS("422", "Invalid", "bad", ""), STINT_USAGE, "Invalid", "bad", -1},
		{429, STATUS("429", "TooManyRequests", "slow", ",\"details\":{\"retryAfterSeconds\":3}"), STINT_FAILED, "TooManyRequests",
			"slow", 3000},
		{504, STATUS("504", "Timeout", "Too large resource version", ",\"details\":{\"retryAfterSeconds\":1}"), STINT_TIMEOUT,
			"Timeout", "Too large", 1000},
		{410, STATUS("410", "Expired", "too old", ""), STINT_FAILED, "Expired", "too old", -1},
		{500, STATUS("500", "", "boom", ""), STINT_FAILED, "", "boom", -1},
		{503, "upstream\tdown \x1b[31m\n", STINT_UNREACHABLE, "", "the server answered 503: upstream down ?[31m", -1},
		{404, "404 page not found\n", STINT_NOT_FOUND, "", "the server answered 404: 404 page not found", -1},
		{502, "", STINT_UNREACHABLE, "", "the server answered 502", -1},
		{400, "{\"kind\":\"Status\"", STINT_USAGE, "", "the server answered 400", -1},
		{422, STATUS("422", "Invalid", "line\\nbreak\\u001b[2J", ""), STINT_USAGE, "Invalid", "line break?[2J", -1},
		{429, STATUS("429", "", "m", ",\"details\":{\"retryAfterSeconds\":-5}"), STINT_FAILED, "", "m", -1},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_error *err = NULL;
		assert_false(stint_kube_status_error(&err, cases[i].http, cases[i].body, strlen(cases[i].body)));
		assert_int_equal(err->code, cases[i].code);
		assert_int_equal(err->status, cases[i].http);
		assert_int_equal(stint_kube_is_passing(err), cases[i].http == 429 || cases[i].http >= 500);
		assert_string_equal(err->reason, cases[i].reason);
		assert_non_null(strstr(err->message, cases[i].message));
		assert_null(strchr(err->message, '\n'));
		assert_int_equal(err->retry_after_ms, cases[i].retry_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_follow_group_scope_and_subresource),
		cmocka_unit_test(test_the_longest_legal_names_are_not_cut),
		cmocka_unit_test(test_query_values_are_escaped_and_absent_ones_left_out),
		cmocka_unit_test(test_resources_are_found_by_version_and_kind),
		cmocka_unit_test(test_a_status_becomes_a_typed_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
