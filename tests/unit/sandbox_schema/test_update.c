/*
 * Updates: what a write may touch, when a generation grows, what is immutable.
 */
#include "support.h"

#define POD_SPEC "'containers':[{'name':'c','image':'i:1','resources':{}}]"

struct update {
	const char *subresource;
	const char *old, *merge; /* the new object is old with this merge patch */
	const char *wanted; /* the prepared object; NULL: not looked at */
	const char *field, *words; /* refused; NULL: accepted */
};

static void run(void **state, const struct update *update)
{
	stint_auto_json *old = json_of(update->old), *merge = json_of(update->merge), *status = NULL;
	stint_auto_json *object = stint_json_dup(old);
	const struct stint_kind *kind = kind_in(state, old);
	assert_true(stint_patch_merge(object, merge));
	stint_schema_prepare_update(schema_of(state), kind, update->subresource, old, object);
	if (update->wanted)
		same_json(object, update->wanted);
	bool fine = stint_schema_validate_update(schema_of(state), kind, update->subresource, old, object, NULL, &status);
	stint_autofree char *shown = stint_json_print(status);
	if (fine != !update->field)
		fail_msg("%s + %s: %s", update->old, update->merge, fine ? "accepted" : shown);
	if (!fine)
		refuse_status(status, 422, update->field, update->words);
}

static void run_all(void **state, const struct update *updates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run(state, &updates[i]);
}

static void a_write_touches_its_part_alone(void **state)
{
#define BUDGET(generation, spec, status)                                                                                           \
	"{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'b','generation':" generation "},'spec':{" spec \
	"},'status':{" status "}}"
	static const struct update updates[] = {
		{NULL, BUDGET("1", "'minAvailable':1", "'expectedPods':1"), "{'status':{'expectedPods':2}}",
			BUDGET("1", "'minAvailable':1", "'expectedPods':1"), NULL, NULL},
		{"status", BUDGET("1", "'minAvailable':1", "'expectedPods':1"), "{'spec':{'minAvailable':2},'status':{'expectedPods':2}}",
			BUDGET("1", "'minAvailable':1", "'expectedPods':2"), NULL, NULL},
		{"status",
			"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'name':'q','generation':1},'spec':{'priority':1}}",
			"{'metadata':{'labels':{'a':'b'}},'spec':{'priority':2},'status':{'childQueues':['x']}}",
			"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'name':'q','generation':1},'spec':{'priority':1},"
			"'status':{'childQueues':['x']}}",
			NULL, NULL},
		{"finalize", "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'},'spec':{'finalizers':['kubernetes']}}",
			"{'metadata':{},'spec':{'finalizers':[]}}",
			"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'},'spec':{'finalizers':[]}}", NULL, NULL},
		{NULL, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'},'spec':{'finalizers':['kubernetes']}}",
			"{'spec':{'finalizers':[]}}",
			"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'},'spec':{'finalizers':['kubernetes']}}", NULL, NULL},
	};
	run_all(state, updates, STINT_COUNT(updates));
#undef BUDGET
}

static void generations_grow_with_what_the_author_says(void **state)
{
#define DEPLOYMENT "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d','generation':4},'spec':{'replicas':1}}"
	static const struct {
		const char *old, *merge;
		const char *subresource;
		int64_t generation;
	} cases[] = {
		{DEPLOYMENT, "{'spec':{'replicas':2}}", NULL, 5},
		{DEPLOYMENT, "{'metadata':{'annotations':{'a':'b'}}}", NULL, 5},
		{DEPLOYMENT, "{'metadata':{'labels':{'a':'b'}}}", NULL, 4},
		{DEPLOYMENT, "{'metadata':{'generation':9}}", NULL, 4},
		{DEPLOYMENT, "{'status':{'replicas':1}}", "status", 4},
		{"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c'}}", "{'data':{'a':'b'}}", NULL, 0},
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'generation':1},'spec':{'priority':1}}",
			"{'spec':{'priority':2}}", NULL, 2},
		{"{'apiVersion':'scheduling.run.ai/v2','kind':'Queue','metadata':{'generation':1}}", "{'metadata':{'labels':{'a':'b'}}}",
			NULL, 1},
		{"{'apiVersion':'scheduling.k8s.io/v1','kind':'PriorityClass','metadata':{'generation':1},'value':1}",
			"{'description':'x'}", NULL, 1},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_auto_json *old = json_of(cases[i].old), *merge = json_of(cases[i].merge);
		stint_auto_json *object = stint_json_dup(old);
		stint_patch_merge(object, merge);
		stint_schema_prepare_update(schema_of(state), kind_in(state, old), cases[i].subresource, old, object);
		assert_int_equal(stint_json_int_or(stint_json_at(object, "metadata", "generation"), 0), cases[i].generation);
	}
#undef DEPLOYMENT
}

static void metadata_that_belongs_to_the_server_stays(void **state)
{
#define MAP                                                                                                                             \
	"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n','uid':'u','creationTimestamp':'2026-01-01T00:00:" \
	"00Z'}}"
#define DYING                                                                                                                      \
	"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n','deletionTimestamp':'2026-01-01T00:00:00Z'," \
	"'deletionGracePeriodSeconds':0,'finalizers':['a/b','a/c']}}"
	static const struct update updates[] = {
		{NULL, MAP, "{'metadata':{'uid':null,'creationTimestamp':null}}", MAP, NULL, NULL},
		{NULL, MAP, "{'metadata':{'creationTimestamp':'2027-01-01T00:00:00Z'}}", MAP, NULL, NULL},
		{NULL, MAP, "{'metadata':{'uid':'x'}}", NULL, "metadata.uid", "Invalid value: \"x\": field is immutable"},
		{NULL, MAP, "{'metadata':{'name':'x'}}", NULL, "metadata.name", "field is immutable"},
		{NULL, MAP, "{'metadata':{'deletionTimestamp':'2026-01-01T00:00:00Z'}}", NULL, "metadata.deletionTimestamp",
			"field is immutable"},
		{NULL, DYING, "{'metadata':{'deletionTimestamp':null}}", DYING, NULL, NULL},
		{NULL, DYING, "{'metadata':{'finalizers':['a/b']}}", NULL, NULL, NULL},
		{NULL, DYING, "{'metadata':{'finalizers':['a/b','a/d']}}", NULL, "metadata.finalizers",
			"no new finalizers can be added if the object is being deleted, found new finalizers []string{\"a/d\"}"},
	};
	run_all(state, updates, STINT_COUNT(updates));
#undef MAP
#undef DYING
}

static void of_a_pods_spec_little_may_change(void **state)
{
#define POD(more) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" more POD_SPEC "}}"
	static const struct update updates[] = {
		{NULL, POD(""), "{'metadata':{'labels':{'a':'b'}}}", NULL, NULL, NULL},
		{NULL, POD(""), "{'spec':{'containers':[{'name':'c','image':'i:2','resources':{}}]}}", NULL, NULL, NULL},
		{NULL, POD(""), "{'spec':{'containers':[{'name':'c','image':'i:1','resources':{},'command':['x']}]}}", NULL, "spec",
			"pod updates may not change fields other than"},
		{NULL, POD(""), "{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'i'}]}}", NULL, "spec.containers",
			"pod updates may not add or remove containers"},
		{NULL, POD(""), "{'spec':{'nodeName':'x'}}", NULL, "spec", "pod updates may not change"},
		{NULL, POD("'tolerations':[{'key':'a','operator':'Exists'}],"),
			"{'spec':{'tolerations':[{'key':'a','operator':'Exists'},{'key':'b','operator':'Exists'}]}}", NULL, NULL, NULL},
		{NULL, POD("'tolerations':[{'key':'a','operator':'Exists'}],"), "{'spec':{'tolerations':[]}}", NULL, "spec.tolerations",
			"existing toleration can not be modified except its tolerationSeconds"},
		{NULL, POD(""), "{'spec':{'activeDeadlineSeconds':9}}", NULL, NULL, NULL},
		{NULL, POD("'activeDeadlineSeconds':9,"), "{'spec':{'activeDeadlineSeconds':10}}", NULL, "spec.activeDeadlineSeconds",
			"must be less than or equal to previous value"},
		{NULL, POD("'schedulingGates':[{'name':'a/b'}],"), "{'spec':{'schedulingGates':null}}", NULL, NULL, NULL},
		{NULL, POD(""), "{'spec':{'schedulingGates':[{'name':'a/b'}]}}", NULL, "spec.schedulingGates[0].name",
			"only deletion is allowed"},
		{NULL, POD("'schedulingGates':[{'name':'a/b'}],"), "{'spec':{'nodeSelector':{'a':'b'}}}", NULL, NULL, NULL},
		{NULL, POD("'schedulingGates':[{'name':'a/b'}],'nodeSelector':{'a':'b'},"), "{'spec':{'nodeSelector':{'a':'c'}}}", NULL,
			"spec.nodeSelector", "only additions to spec.nodeSelector are allowed"},
	};
	run_all(state, updates, STINT_COUNT(updates));
#undef POD
}

static void what_pods_are_made_from_is_immutable_in_part(void **state)
{
#define JOB(more, status)                                                                                                 \
	"{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','namespace':'n','uid':'u'},'spec':{" more           \
	"'selector':{'matchLabels':{'a':'b'}},'manualSelector':true,'template':{'metadata':{'labels':{'a':'b'}},'spec':{" \
	"'restartPolicy':'Never'," POD_SPEC "}}},'status':{" status "}}"
#define SET                                                                                                                            \
	"{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':{'name':'s','namespace':'n'},'spec':{'serviceName':'a','replicas':1," \
	"'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'restartPolicy':'Always'," POD_SPEC  \
	"}}}}"
	static const struct update updates[] = {
		{NULL, JOB("'parallelism':1,'completions':1,", ""), "{'spec':{'parallelism':3}}", NULL, NULL, NULL},
		{NULL, JOB("'parallelism':1,'completions':1,", ""), "{'spec':{'completions':3}}", NULL, "spec.completions",
			"field is immutable"},
		{NULL, JOB("'completionMode':'Indexed','parallelism':2,'completions':2,", ""), "{'spec':{'completions':3,'parallelism':3}}",
			NULL, NULL, NULL},
		{NULL, JOB("'completionMode':'Indexed','parallelism':2,'completions':2,", ""), "{'spec':{'completions':3}}", NULL,
			"spec.completions", "can only be modified in tandem with spec.parallelism"},
		{NULL, JOB("", ""), "{'spec':{'template':{'spec':{'priorityClassName':'x'}}}}", NULL, "spec.template",
			"field is immutable"},
		{NULL, JOB("'suspend':true,", ""), "{'spec':{'template':{'spec':{'nodeSelector':{'x':'y'}}}}}", NULL, NULL, NULL},
		{NULL, JOB("'suspend':true,", "'startTime':'2026-01-01T00:00:00Z'"),
			"{'spec':{'template':{'spec':{'nodeSelector':{'x':'y'}}}}}", NULL, "spec.template", "field is immutable"},
		{NULL, SET, "{'spec':{'replicas':3,'minReadySeconds':1}}", NULL, NULL, NULL},
		{NULL, SET, "{'spec':{'serviceName':'b'}}", NULL, "spec", "updates to statefulset spec for fields other than"},
	};
	run_all(state, updates, STINT_COUNT(updates));
#undef JOB
#undef SET
}

static void what_is_sealed_stays_sealed(void **state)
{
	static const char map[] =
		"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n'},'data':{'a':'1'},'immutable':true}";
	static const char topology[] =
		"{'apiVersion':'kai.scheduler/v1alpha1','kind':'Topology','metadata':{'name':'t'},'spec':{'levels':[{'nodeLabel':'a'}]}}";
	static const char service[] =
		"{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{'type':'ClusterIP',"
		"'clusterIP':'10.0.0.1','clusterIPs':['10.0.0.1'],'ports':[{'port':80,'targetPort':80}]}}";
	const struct update updates[] = {
		{NULL, map, "{'metadata':{'labels':{'a':'b'}}}", NULL, NULL, NULL},
		{NULL, map, "{'data':{'a':'2'}}", NULL, "data", "field is immutable when `immutable` is set"},
		{NULL, map, "{'immutable':false}", NULL, "immutable", "field is immutable when `immutable` is set"},
		{NULL, topology, "{'spec':{'levels':[{'nodeLabel':'a','alias':'z'}]}}", NULL, NULL, NULL},
		{NULL, topology, "{'spec':{'levels':[{'nodeLabel':'b'}]}}", NULL, "spec.levels", "cannot be changed"},
		{NULL, service, "{'spec':{'clusterIP':null,'clusterIPs':null}}", service, NULL, NULL},
		{NULL, service, "{'spec':{'clusterIP':'10.0.0.2'}}", NULL, "spec.clusterIPs[0]", "may not change once set"},
	};
	run_all(state, updates, STINT_COUNT(updates));
}

static void a_write_that_changes_times_of_the_record_alone_is_none(void **state)
{
	(void)state;
	stint_auto_json *a = json_of("{'metadata':{'resourceVersion':'1','managedFields':[{'manager':'m','time':'x'}]},'data':{'a':'b'}}");
	stint_auto_json *b = json_of("{'metadata':{'resourceVersion':'2','managedFields':[{'manager':'m','time':'y'}]},'data':{'a':'b'}}");
	assert_true(stint_schema_same(a, b));
	stint_json_set_string(stint_json_get(b, "data"), "a", "c");
	assert_false(stint_schema_same(a, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_touches_its_part_alone),
		cmocka_unit_test(generations_grow_with_what_the_author_says),
		cmocka_unit_test(metadata_that_belongs_to_the_server_stays),
		cmocka_unit_test(of_a_pods_spec_little_may_change),
		cmocka_unit_test(what_pods_are_made_from_is_immutable_in_part),
		cmocka_unit_test(what_is_sealed_stays_sealed),
		cmocka_unit_test(a_write_that_changes_times_of_the_record_alone_is_none),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
