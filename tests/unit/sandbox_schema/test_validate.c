/*
 * What a create is refused for, and in which words. The wordings are those of a kube-apiserver 1.34.
 */
#include "support.h"

#define POD(spec) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"
#define CONTAINER(more) POD("'containers':[{'name':'c','image':'i'," more "}]")
#define JOB(spec, restart)                                                                                      \
	"{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','namespace':'n','uid':'u'},'spec':{" spec \
	"'template':{'spec':{'restartPolicy':'" restart "','containers':[{'name':'c','image':'i'}]}}}}"
#define DEPLOYMENT(spec)                                                                                    \
	"{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d','namespace':'n'},'spec':{" spec \
	"'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}"
#define GROUP(spec) \
	"{'apiVersion':'scheduling.run.ai/v2alpha2','kind':'PodGroup','metadata':{'name':'g','namespace':'n'},'spec':{" spec "}}"
#define TOPOLOGY(levels) "{'apiVersion':'kai.scheduler/v1alpha1','kind':'Topology','metadata':{'name':'t'},'spec':{'levels':" levels "}}"

struct refusal {
	const char *object;
	const char *field; /* NULL: accepted */
	const char *words;
};

static void check_all(void **state, const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		stint_auto_json *object = json_of(cases[i].object), *status = NULL;
		const struct stint_kind *kind = kind_in(state, object);
		stint_schema_default(schema_of(state), kind, object);
		stint_schema_prepare_create(schema_of(state), kind, object);
		bool fine = stint_schema_validate_create(schema_of(state), kind, object, NULL, &status);
		stint_autofree char *shown = stint_json_print(status);
		if (fine != !cases[i].field)
			fail_msg("%s: %s", cases[i].object, fine ? "accepted" : shown);
		if (!fine)
			refuse_status(status, 422, cases[i].field, cases[i].words);
	}
}

static void metadata_follows_its_rules(void **state)
{
	static const struct refusal cases[] = {
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a.b-c','namespace':'n'}}", NULL, NULL},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'A','namespace':'n'}}", "metadata.name",
			"ConfigMap \"A\" is invalid: metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'n'}}", "metadata.name",
			"Required value: name or generateName is required"},
		{"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'a.b'}}", "metadata.name", "must not contain dots"},
		{"{'apiVersion':'v1','kind':'Service','metadata':{'name':'1a','namespace':'n'},'spec':{'ports':[{'port':80}]}}",
			"metadata.name", "DNS-1035"},
		{"{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{'name':'a:B','namespace':'n'}}", NULL, NULL},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n','labels':{'a b':'c'}}}", "metadata.labels",
			"name part must consist of"},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n','labels':{'a':'-'}}}", "metadata.labels",
			"a valid label must be"},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n','annotations':{'/a':'c'}}}",
			"metadata.annotations", "prefix part must be non-empty"},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n','finalizers':['foo']}}",
			"metadata.finalizers[0]", "neither a standard finalizer name"},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n','ownerReferences':[{'apiVersion':'v1','kind'"
		 ":"
		 "'Pod','name':'p','uid':''}]}}",
			"metadata.ownerReferences.uid", "must not be empty"},
		{"{'apiVersion':'v1','kind':'Node','metadata':{'name':'a','namespace':'n'}}", "metadata.namespace",
			"not allowed on this type"},
	};
	check_all(state, cases, STINT_COUNT(cases));
}

static void pods_follow_their_rules(void **state)
{
	static const struct refusal cases[] = {
		{CONTAINER("'command':['a']"), NULL, NULL},
		{POD("'containers':[]"), "spec.containers", "Required value"},
		{POD("'containers':[{'name':'c'}]"), "spec.containers[0].image", "Required value"},
		{POD("'containers':[{'name':'c','image':'i'},{'name':'c','image':'i'}]"), "spec.containers[1].name",
			"Duplicate value: \"c\""},
		{POD("'containers':[{'name':'C_','image':'i'}]"), "spec.containers[0].name", "RFC 1123 label"},
		{POD("'restartPolicy':'X','containers':[{'name':'c','image':'i'}]"), "spec.restartPolicy",
			"Unsupported value: \"X\": supported values: \"Always\", \"OnFailure\", \"Never\""},
		{CONTAINER("'resources':{'limits':{'cpu':'1'},'requests':{'cpu':'2'}}"), "spec.containers[0].resources.requests",
			"Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
		{CONTAINER("'resources':{'limits':{'nvidia.com/gpu':'500m'}}"), "spec.containers[0].resources.limits[nvidia.com/gpu]",
			"must be an integer"},
		{CONTAINER("'resources':{'requests':{'nvidia.com/gpu':'1'}}"), "spec.containers[0].resources.limits",
			"Limit must be set for non overcommitable resources"},
		{CONTAINER("'resources':{'limits':{'cpu':'-1'}}"), "spec.containers[0].resources.limits[cpu]",
			"must be greater than or equal to 0"},
		{CONTAINER("'resources':{'limits':{'gpu':'1'}}"), "spec.containers[0].resources.limits[gpu]",
			"must be a standard resource for containers"},
		{CONTAINER("'volumeMounts':[{'name':'v','mountPath':'/v'}]"), "spec.containers[0].volumeMounts[0].name",
			"Not found: \"v\""},
		{"{'apiVersion':'apps/"
		 "v1','kind':'StatefulSet','metadata':{'name':'s','namespace':'n'},'spec':{'serviceName':'s','selector':{"
		 "'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i',"
		 "'volumeMounts':[{'name':'www','mountPath':'/m'}]}]}},'volumeClaimTemplates':[{'metadata':{'name':'www'},'spec':{"
		 "'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}]}}",
			NULL, NULL},
		{CONTAINER("'ports':[{'containerPort':70000}]"), "spec.containers[0].ports[0].containerPort",
			"must be between 1 and 65535, inclusive"},
		{CONTAINER("'env':[{'name':'A','value':'x','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]"),
			"spec.containers[0].env[0].valueFrom", "may not be specified when `value` is not empty"},
		{CONTAINER("'livenessProbe':{}"), "spec.containers[0].livenessProbe", "must specify a handler type"},
		{POD("'tolerations':[{'key':'a','operator':'Exists','value':'x'}],'containers':[{'name':'c','image':'i'}]"),
			"spec.tolerations[0].operator", "value must be empty when `operator` is 'Exists'"},
		{POD("'schedulingGates':[{'name':'a/b'}],'nodeName':'n','containers':[{'name':'c','image':'i'}]"), "spec.nodeName",
			"cannot be set until all schedulingGates have been cleared"},
		{POD("'volumes':[{'name':'v','emptyDir':{},'hostPath':{'path':'/'}}],'containers':[{'name':'c','image':'i'}]"),
			"spec.volumes[0].hostPath", "may not specify more than 1 volume type"},
		{POD("'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'"
		     "matchExpressions':"
		     "[{'key':'k','operator':'In'}]}]}}},'containers':[{'name':'c','image':'i'}]"),
			"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]"
			"."
			"values",
			"must be specified when `operator` is 'In' or 'NotIn'"},
	};
	check_all(state, cases, STINT_COUNT(cases));
}

static void workloads_follow_their_rules(void **state)
{
	static const struct refusal cases[] = {
		{DEPLOYMENT("'selector':{'matchLabels':{'a':'b'}},"), NULL, NULL},
		{DEPLOYMENT(""), "spec.selector", "Required value"},
		{DEPLOYMENT("'selector':{},"), "spec.selector", "empty selector is invalid for deployment"},
		{DEPLOYMENT("'selector':{'matchLabels':{'a':'c'}},"), "spec.template.metadata.labels",
			"`selector` does not match template `labels`"},
		{DEPLOYMENT("'selector':{'matchExpressions':[{'key':'a','operator':'In','values':['b']}]},"), NULL, NULL},
		{DEPLOYMENT("'replicas':-1,'selector':{'matchLabels':{'a':'b'}},"), "spec.replicas",
			"Invalid value: -1: must be greater than or equal to 0"},
		{DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':0}},'selector':{'matchLabels':{'a':'b'}},"),
			"spec.strategy.rollingUpdate.maxUnavailable", "may not be 0 when `maxSurge` is 0"},
		{JOB("", "Never"), NULL, NULL},
		{JOB("", "Always"), "spec.template.spec.restartPolicy", "Required value: valid values: \"OnFailure\", \"Never\""},
		{JOB("'completionMode':'Indexed','parallelism':2,", "Never"), "spec.completions", "when completion mode is Indexed"},
		{JOB("'completionMode':'X',", "Never"), "spec.completionMode", "supported values: \"NonIndexed\", \"Indexed\""},
		{JOB("'parallelism':-1,", "Never"), "spec.parallelism", "must be greater than or equal to 0"},
		{JOB("'backoffLimitPerIndex':1,", "Never"), "spec.backoffLimitPerIndex", "requires indexed completion mode"},
		{JOB("'selector':{'matchLabels':{'x':'y'}},", "Never"), "spec.selector", "`selector` not auto-generated"},
		{JOB("'manualSelector':true,", "Never"), "spec.selector", "Required value"},
		{JOB("'podFailurePolicy':{'rules':[{'action':'FailJob','onExitCodes':{'operator':'In','values':[0]}}]},", "Never"),
			"spec.podFailurePolicy.rules[0].onExitCodes.values[0]", "must not be 0 for the In operator"},
		{JOB("'podFailurePolicy':{'rules':[{'action':'Ignore','onPodConditions':[{'type':'DisruptionTarget'}]}]},", "Never"), NULL,
			NULL},
		{JOB("'podFailurePolicy':{'rules':[]},", "OnFailure"), "spec.template.spec.restartPolicy",
			"only \"Never\" is supported when podFailurePolicy is specified"},
	};
	check_all(state, cases, STINT_COUNT(cases));
}

static void other_kinds_follow_their_rules(void **state)
{
	static const struct refusal cases[] = {
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n'},'data':{'a/b':'c'}}", "data[a/b]",
			"a valid config key must consist of"},
		{"{'apiVersion':'v1','kind':'Secret','metadata':{'name':'a','namespace':'n'},'type':'kubernetes.io/tls'}", "data[tls.crt]",
			"Required value"},
		{"{'apiVersion':'v1','kind':'Service','metadata':{'name':'a','namespace':'n'},'spec':{}}", "spec.ports", "Required value"},
		{"{'apiVersion':'v1','kind':'Service','metadata':{'name':'a','namespace':'n'},'spec':{'clusterIP':'None'}}", NULL, NULL},
		{"{'apiVersion':'v1','kind':'Event','metadata':{'name':'a','namespace':'n'},'involvedObject':{'namespace':'m'}}",
			"involvedObject.namespace", "does not match event.namespace"},
		{"{'apiVersion':'scheduling.k8s.io/v1','kind':'PriorityClass','metadata':{'name':'a'},'value':2000000000}", "value",
			"maximum allowed value of a user defined priority is 1000000000"},
		{"{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'a','namespace':'n'},'spec':{'minAvailable':1,"
		 "'maxUnavailable':1}}",
			"spec", "minAvailable and maxUnavailable cannot be both set"},
		{"{'apiVersion':'policy/"
		 "v1','kind':'PodDisruptionBudget','metadata':{'name':'a','namespace':'n'},'spec':{'minAvailable':'200%'}"
		 "}",
			"spec.minAvailable", "must not be greater than 100%"},
		{"{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{'name':'a','namespace':'n'},'spec':{"
		 "'leaseDurationSeconds':0}}",
			"spec.leaseDurationSeconds", "must be greater than 0"},
		{"{'apiVersion':'v1','kind':'Node','metadata':{'name':'a'},'spec':{'taints':[{'key':'k','effect':'X'}]}}",
			"metadata.taints[0].effect", "supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\""},
		{"{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'a','namespace':'n'},'spec':{}}", "spec.accessModes",
			"at least 1 access mode is required"},
		{"{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'a','namespace':'n'},'spec':{'schedule':'x'}}",
			"spec.schedule", "expected exactly 5 fields, found 1: [x]"},
	};
	check_all(state, cases, STINT_COUNT(cases));
}

static void queues_groups_and_topologies_are_checked_as_their_definitions_say(void **state)
{
	static const struct refusal cases[] = {
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'name':'q'},'spec':{'resources':{'gpu':{'quota':1.5}}}}",
			NULL, NULL},
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'name':'q'},'spec':{'resources':{'gpu':{'quota':'4'}}}}",
			"spec.resources.gpu.quota",
			"Invalid value: \"string\": spec.resources.gpu.quota in body must be of type number: \"string\""},
		{GROUP("'minMember':2"), NULL, NULL},
		{GROUP("'minMember':null"), NULL, NULL},
		{GROUP("'minMember':-1"), "spec.minMember", "spec.minMember in body should be greater than or equal to 0"},
		{GROUP("'minMember':1.5"), "spec.minMember", "must be of type integer: \"number\""},
		{GROUP("'preemptibility':'x'"), "spec.preemptibility", "supported values: \"preemptible\", \"non-preemptible\""},
		{GROUP("'subGroups':[{'name':'A_'}]"), "spec.subGroups[0].name", "should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"},
		{GROUP("'subGroups':[{}]"), "spec.subGroups[0].name", "Required value"},
		{TOPOLOGY("[{'nodeLabel':'a/b'},{'nodeLabel':'kubernetes.io/hostname'}]"), NULL, NULL},
		{TOPOLOGY("[]"), "spec.levels", "should have at least 1 items"},
		{TOPOLOGY("[{'nodeLabel':'a'},{'nodeLabel':'a'}]"), "spec.levels", "Invalid value: \"array\""},
		{TOPOLOGY("[{'nodeLabel':'kubernetes.io/hostname'},{'nodeLabel':'a'}]"), "spec.levels", "can only be the last level"},
	};
	check_all(state, cases, STINT_COUNT(cases));
}

static void several_causes_are_told_at_once(void **state)
{
	stint_auto_json *object = json_of(POD("'restartPolicy':'X','dnsPolicy':'Y','containers':[{'name':'c'}]")), *status = NULL;
	stint_schema_default(schema_of(state), kind_in(state, object), object);
	assert_false(stint_schema_validate_create(schema_of(state), kind_in(state, object), object, NULL, &status));
	assert_int_equal(stint_json_count(stint_json_at(status, "details", "causes")), 3);
	assert_true(stint_starts_with(stint_json_string_at(status, "message"), "Pod \"p\" is invalid: ["));
	assert_string_equal(stint_json_string_at(status, "details", "kind"), "Pod");
	assert_string_equal(stint_json_string_at(status, "reason"), "Invalid");
}

static void what_only_a_webhook_would_refuse_is_a_warning(void **state)
{
	stint_auto_json *queue = json_of("{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'name':'q'},'spec':{}}");
	stint_auto_json *status = NULL, *warnings = NULL;
	assert_true(stint_schema_validate_create(schema_of(state), kind_in(state, queue), queue, &warnings, &status));
	same_json(warnings, "['resources must be specified']");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_follows_its_rules),
		cmocka_unit_test(pods_follow_their_rules),
		cmocka_unit_test(workloads_follow_their_rules),
		cmocka_unit_test(other_kinds_follow_their_rules),
		cmocka_unit_test(queues_groups_and_topologies_are_checked_as_their_definitions_say),
		cmocka_unit_test(several_causes_are_told_at_once),
		cmocka_unit_test(what_only_a_webhook_would_refuse_is_a_warning),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
