/*
 * What nobody said: defaults, the zero values that are written all the same, and what a create generates.
 */
#include "support.h"

/* A path of keys with dots, "a.0.b" going into arrays; NULL when it leads nowhere. */
static const struct stint_json *follow(const struct stint_json *json, const char *path)
{
	char **keys = stint_split(path, "/");
	for (char **key = keys; *key && json; key++) {
		int64_t index;
		json = stint_parse_int(*key, 0, 1000, &index) ? stint_json_item(json, (size_t)index) : stint_json_get(json, *key);
	}
	stint_strings_free(keys);
	return json;
}

static void fields_that_nobody_set_get_their_defaults(void **state)
{
	static const struct {
		const char *object, *path, *value; /* NULL: absent */
	} cases[] = {
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'name':'c','image':'i'}]}}", "spec",
			"{'containers':[{'name':'c','image':'i','imagePullPolicy':'Always','resources':{},'terminationMessagePath':"
			"'/dev/"
			"termination-log','terminationMessagePolicy':'File'}],'restartPolicy':'Always','terminationGracePeriodSeconds':30,"
			"'dnsPolicy':'ClusterFirst','securityContext':{},'schedulerName':'default-scheduler','enableServiceLinks':true}"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'image':'h:5000/i'}]}}", "spec/containers/0/imagePullPolicy",
			"'Always'"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'image':'h:5000/i:1'}]}}", "spec/containers/0/imagePullPolicy",
			"'IfNotPresent'"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'image':'i@sha256:0'}]}}", "spec/containers/0/imagePullPolicy",
			"'IfNotPresent'"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'resources':{'limits':{'a/b':'1'},'requests':{'cpu':'1'}}}]}}",
			"spec/containers/0/resources/requests", "{'a/b':'1','cpu':'1'}"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'hostNetwork':true,'containers':[{'ports':[{'containerPort':80}]}]}}",
			"spec/containers/0/ports", "[{'containerPort':80,'hostPort':80,'protocol':'TCP'}]"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'livenessProbe':{'httpGet':{'port':80}}}]}}",
			"spec/containers/0/livenessProbe",
			"{'httpGet':{'port':80,'path':'/','scheme':'HTTP'},'timeoutSeconds':1,'periodSeconds':10,'successThreshold':1,"
			"'failureThreshold':3}"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'volumes':[{'name':'a'},{'name':'b','secret':{'secretName':'s'}}]}}",
			"spec/volumes", "[{'name':'a','emptyDir':{}},{'name':'b','secret':{'secretName':'s','defaultMode':420}}]"},
		{"{'apiVersion':'v1','kind':'Pod','spec':{'serviceAccount':'x'}}", "spec/serviceAccountName", "'x'"},
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'labels':{}},'spec':{'hostPID':false,'nodeName':''}}", "metadata", "{}"},
		{"{'apiVersion':'v1','kind':'Node','status':{'capacity':{'cpu':'4'}}}", "status/allocatable", "{'cpu':'4'}"},
		{"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'}}", "metadata/labels",
			"{'kubernetes.io/metadata.name':'n'}"},
		{"{'apiVersion':'v1','kind':'Secret','data':{'a':'MQ=='},'stringData':{'b':'x'}}", "data", "{'a':'MQ==','b':'eA=='}"},
		{"{'apiVersion':'v1','kind':'Secret','stringData':{'b':'x'}}", "stringData", NULL},
		{"{'apiVersion':'v1','kind':'Service','spec':{'ports':[{'port':80}]}}", "spec",
			"{'ports':[{'port':80,'protocol':'TCP','targetPort':80}],'type':'ClusterIP','sessionAffinity':'None',"
			"'internalTrafficPolicy':'Cluster'}"},
		{"{'apiVersion':'apps/v1','kind':'Deployment','spec':{}}", "spec/strategy",
			"{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':'25%'}}"},
		{"{'apiVersion':'apps/v1','kind':'Deployment','spec':{'replicas':0}}", "spec/replicas", "0"},
		{"{'apiVersion':'apps/v1','kind':'Deployment','spec':{}}", "spec/replicas", "1"},
		{"{'apiVersion':'apps/v1','kind':'Deployment','spec':{}}", "spec/progressDeadlineSeconds", "600"},
		{"{'apiVersion':'apps/v1','kind':'Deployment','spec':{'template':{'spec':{}}}}", "spec/template/spec/enableServiceLinks",
			NULL},
		{"{'apiVersion':'apps/v1','kind':'StatefulSet','spec':{}}", "spec/updateStrategy",
			"{'type':'RollingUpdate','rollingUpdate':{'partition':0}}"},
		{"{'apiVersion':'apps/v1','kind':'ReplicaSet'}", "status", "{'replicas':0}"},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{}}", "spec",
			"{'template':{'metadata':{},'spec':{'containers':null,'restartPolicy':'Always','terminationGracePeriodSeconds':30,"
			"'dnsPolicy':'ClusterFirst','securityContext':{},'schedulerName':'default-scheduler'}},'completions':1,'"
			"parallelism':1,"
			"'backoffLimit':6,'completionMode':'NonIndexed','suspend':false,'manualSelector':false,"
			"'podReplacementPolicy':'TerminatingOrFailed'}"},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{'parallelism':3}}", "spec/completions", NULL},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{'completionMode':'Indexed'}}", "spec/completions", "1"},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{'backoffLimitPerIndex':1}}", "spec/backoffLimit", "2147483647"},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{'podFailurePolicy':{'rules':[{'onPodConditions':[{'type':'a'}]}]}}}",
			"spec/podFailurePolicy/rules/0/onPodConditions/0", "{'type':'a','status':'True'}"},
		{"{'apiVersion':'batch/v1','kind':'Job','spec':{'podFailurePolicy':{}}}", "spec/podReplacementPolicy", "'Failed'"},
		{"{'apiVersion':'batch/v1','kind':'CronJob','spec':{}}", "spec/jobTemplate/spec/backoffLimit", NULL},
		{"{'apiVersion':'scheduling.k8s.io/v1','kind':'PriorityClass'}", "value", "0"},
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','spec':{'parentQueue':''}}", "spec", "{'parentQueue':''}"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = json_of(cases[i].object);
		stint_schema_default(schema_of(state), kind_in(state, object), object);
		const struct stint_json *value = follow(object, cases[i].path);
		if (cases[i].value)
			same_json(value, cases[i].value);
		else if (value)
			fail_msg("%s is there in %s", cases[i].path, cases[i].object);
	}
}

static void defaults_are_the_same_when_set_twice(void **state)
{
	stint_auto_json *object = json_of("{'apiVersion':'apps/v1','kind':'Deployment','spec':{'template':{'spec':{'containers':"
					  "[{'name':'c','image':'i','ports':[{'containerPort':80}]}],'volumes':[{'name':'v'}]}}}}");
	stint_schema_default(schema_of(state), kind_in(state, object), object);
	stint_auto_json *once = stint_json_dup(object);
	stint_schema_default(schema_of(state), kind_in(state, object), object);
	assert_true(stint_json_equal(once, object));
}

static struct stint_json *created(void **state, const char *text)
{
	struct stint_json *object = json_of(text);
	const struct stint_kind *kind = kind_in(state, object);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	stint_json_set_string(metadata, "uid", "u-1");
	stint_json_set_string(metadata, "creationTimestamp", "2026-01-01T00:00:00Z");
	stint_schema_default(schema_of(state), kind, object);
	stint_schema_prepare_create(schema_of(state), kind, object);
	return object;
}

static void a_new_object_has_no_status_of_its_own(void **state)
{
	stint_auto_json *pod = created(state,
		"{'apiVersion':'v1','kind':'Pod','spec':{'containers':[{'name':'c','resources':{'limits':"
		"{'cpu':'1','memory':'1Gi'}}}]},'status':{'phase':'Running','podIP':'1.2.3.4'}}");
	same_json(stint_json_get(pod, "status"), "{'phase':'Pending','qosClass':'Guaranteed'}");
	stint_auto_json *node = created(state, "{'apiVersion':'v1','kind':'Node','status':{'phase':'Running'}}");
	assert_string_equal(stint_json_string_at(node, "status", "phase"), "Running");
	stint_auto_json *queue = created(state, "{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','status':{'childQueues':['a']}}");
	assert_null(stint_json_get(queue, "status"));
}

static void generations_begin_at_one_where_a_kind_has_them(void **state)
{
	static const struct {
		const char *object;
		int64_t generation;
	} cases[] = {
		{"{'apiVersion':'v1','kind':'Pod','metadata':{'generation':9}}", 1},
		{"{'apiVersion':'apps/v1','kind':'Deployment'}", 1},
		{"{'apiVersion':'batch/v1','kind':'Job'}", 1},
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue'}", 1},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'generation':9}}", 0},
		{"{'apiVersion':'coordination.k8s.io/v1','kind':'Lease'}", 0},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *object = created(state, cases[i].object);
		assert_int_equal(stint_json_int_or(stint_json_at(object, "metadata", "generation"), 0), cases[i].generation);
	}
}

static void a_job_selects_its_pods_by_its_uid(void **state)
{
	static const char labels[] = "{'batch.kubernetes.io/job-name':'j','job-name':'j','batch.kubernetes.io/controller-uid':'u-1',"
				     "'controller-uid':'u-1'}";
	stint_auto_json *job = created(state, "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':{}}");
	same_json(stint_json_at(job, "spec", "selector"), "{'matchLabels':{'batch.kubernetes.io/controller-uid':'u-1'}}");
	same_json(stint_json_at(job, "spec", "template", "metadata", "labels"), labels);
	same_json(stint_json_at(job, "metadata", "labels"), labels);
	stint_auto_json *manual =
		created(state, "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':{'manualSelector':true}}");
	assert_null(stint_json_at(manual, "spec", "selector"));
}

static void a_gated_pod_says_that_it_is_not_to_be_scheduled(void **state)
{
	stint_auto_json *pod = created(state, "{'apiVersion':'v1','kind':'Pod','spec':{'schedulingGates':[{'name':'a/b'}]}}");
	same_json(stint_json_at(pod, "status", "conditions"),
		"[{'type':'PodScheduled','status':'False','reason':'SchedulingGated','message':'Scheduling is blocked due to non-empty "
		"scheduling gates','lastProbeTime':null,'lastTransitionTime':'2026-01-01T00:00:00Z'}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_that_nobody_set_get_their_defaults),
		cmocka_unit_test(defaults_are_the_same_when_set_twice),
		cmocka_unit_test(a_new_object_has_no_status_of_its_own),
		cmocka_unit_test(generations_begin_at_one_where_a_kind_has_them),
		cmocka_unit_test(a_job_selects_its_pods_by_its_uid),
		cmocka_unit_test(a_gated_pod_says_that_it_is_not_to_be_scheduled),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
