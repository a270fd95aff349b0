/*
 * Ownership of fields and server-side apply, told as stories of several managers. The outcomes are those of a kube-apiserver.
 */
#include "support.h"

/* One object and who wrote it, step by step. */
struct story {
	const struct stint_schema *schema;
	const struct stint_kind *kind;
	struct stint_json *live; /* NULL: not there yet */
	struct stint_json *status; /* of the last refusal */
};

static void story_end(struct story *story)
{
	stint_json_free(story->live);
	stint_json_free(story->status);
}
#define auto_story STINT_CLEANUP(story_end) struct story

static struct story begin(void **state, const char *api_version, const char *kind)
{
	return (struct story){.schema = schema_of(state), .kind = kind_of(state, api_version, kind)};
}

/* The body names no kind: it is filled in. */
static struct stint_json *body_of(const struct story *story, const char *text)
{
	struct stint_json *object = json_of(text);
	stint_json_set_string(object, "apiVersion", story->kind->api_version);
	stint_json_set_string(object, "kind", story->kind->kind);
	stint_json_set_string(stint_json_ensure_object(object, "metadata"), "name", "x");
	return object;
}

static bool apply_with(struct story *story, const char *manager, const char *text, bool force)
{
	stint_auto_json *config = body_of(story, text);
	const struct stint_writer writer = {.manager = manager, .time = "2026-01-01T00:00:00Z"};
	stint_json_clear(&story->status);
	struct stint_json *object = stint_schema_apply(story->schema, story->kind, story->live, config, &writer, force, &story->status);
	if (!object)
		return false;
	stint_schema_default(story->schema, story->kind, object);
	stint_json_free(story->live);
	story->live = object;
	return true;
}

/* An ordinary write of the object with this merge patch. */
static void update(struct story *story, const char *manager, const char *subresource, const char *merge)
{
	const struct stint_writer writer = {.manager = manager, .subresource = subresource, .time = "2026-01-01T00:00:01Z"};
	stint_auto_json *patch = json_of(merge);
	struct stint_json *object = story->live ? stint_json_dup(story->live) : body_of(story, "{}");
	assert_true(stint_patch_merge(object, patch));
	stint_schema_default(story->schema, story->kind, object);
	stint_schema_track(story->schema, story->kind, story->live, object, &writer);
	stint_json_free(story->live);
	story->live = object;
}

/* {"manager:Operation[:subresource]": fieldsV1, ...} */
static void same_owners(const struct story *story, const char *wanted)
{
	stint_auto_json *owners = stint_json_new_object();
	stint_json_each(entry, stint_json_at(story->live, "metadata", "managedFields")) {
		const char *subresource = stint_json_string_or(stint_json_get(entry, "subresource"), "");
		stint_autofree char *name = stint_format("%s:%s%s%s", stint_json_string_at(entry, "manager"),
			stint_json_string_at(entry, "operation"), *subresource ? ":" : "", subresource);
		stint_json_set(owners, name, stint_json_dup(stint_json_get(entry, "fieldsV1")));
	}
	same_json(owners, wanted);
}

static void an_applier_owns_what_it_says_and_what_it_drops_goes(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	assert_true(apply_with(&story, "one", "{'data':{'x':'1','y':'1'}}", false));
	same_owners(&story, "{'one:Apply':{'f:data':{'f:x':{},'f:y':{}}}}");
	assert_true(apply_with(&story, "one", "{'data':{'y':'2'}}", false));
	same_json(stint_json_get(story.live, "data"), "{'y':'2'}");
	same_owners(&story, "{'one:Apply':{'f:data':{'f:y':{}}}}");
	assert_true(apply_with(&story, "one", "{}", false));
	assert_null(stint_json_get(story.live, "data"));
	same_owners(&story, "{}");
}

static void equal_values_are_shared_and_survive_one_owner(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	assert_true(apply_with(&story, "one", "{'data':{'x':'1','y':'1'}}", false));
	assert_true(apply_with(&story, "two", "{'data':{'x':'1'}}", false));
	assert_true(apply_with(&story, "one", "{'data':{'y':'1'}}", false));
	same_json(stint_json_get(story.live, "data"), "{'x':'1','y':'1'}");
	same_owners(&story, "{'one:Apply':{'f:data':{'f:y':{}}},'two:Apply':{'f:data':{'f:x':{}}}}");
}

static void anothers_value_is_a_conflict_unless_forced(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	assert_true(apply_with(&story, "one", "{'data':{'x':'1'}}", false));
	assert_false(apply_with(&story, "two", "{'data':{'x':'2'}}", false));
	refuse_status(story.status, 409, ".data.x", "Apply failed with 1 conflict: conflict with \"one\": .data.x");
	assert_string_equal(
		stint_json_string_at(stint_json_first(stint_json_at(story.status, "details", "causes")), "reason"), "FieldManagerConflict");
	same_json(stint_json_get(story.live, "data"), "{'x':'1'}");
	assert_true(apply_with(&story, "two", "{'data':{'x':'2'}}", true));
	same_json(stint_json_get(story.live, "data"), "{'x':'2'}");
	same_owners(&story, "{'two:Apply':{'f:data':{'f:x':{}}}}");
}

static void several_conflicts_are_told_by_manager(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	assert_true(apply_with(&story, "one", "{'data':{'y':'1','x':'1'}}", false));
	update(&story, "kubectl", NULL, "{'data':{'z':'1'}}");
	assert_false(apply_with(&story, "two", "{'data':{'x':'2','y':'2','z':'2'}}", false));
	refuse_status(story.status, 409, ".data.z",
		"Apply failed with 3 conflicts: conflicts with \"kubectl\" using v1:\n- .data.z\nconflicts with \"one\":\n- .data.x\n- "
		".data.y");
}

static void an_update_takes_what_it_changes_and_gives_back_what_it_removes(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	update(&story, "creator", NULL, "{'data':{'x':'1','y':'1'}}");
	same_owners(&story, "{'creator:Update':{'f:data':{'.':{},'f:x':{},'f:y':{}}}}");
	update(&story, "other", NULL, "{'data':{'x':'2'}}");
	same_owners(&story, "{'creator:Update':{'f:data':{'.':{},'f:y':{}}},'other:Update':{'f:data':{'f:x':{}}}}");
	update(&story, "third", NULL, "{'data':{'y':null}}");
	same_owners(&story, "{'creator:Update':{'f:data':{}},'other:Update':{'f:data':{'f:x':{}}}}");
	update(&story, "third", NULL, "{'metadata':{'managedFields':[{}]}}");
	same_owners(&story, "{}");
}

static void a_status_write_owns_fields_of_its_own(void **state)
{
	auto_story story = begin(state, "v1", "Pod");
	update(&story, "kubelet", "status", "{'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}]}}");
	same_owners(&story,
		"{'kubelet:Update:status':{'f:status':{'f:phase':{},'f:conditions':{'.':{},'k:{\\'type\\':\\'Ready\\'}':{'.':{},'f:type':{}"
		","
		"'f:status':{},'f:lastProbeTime':{},'f:lastTransitionTime':{}}}}}}");
}

static void items_of_keyed_lists_are_owned_one_by_one(void **state)
{
	auto_story story = begin(state, "v1", "Pod");
	assert_true(apply_with(&story, "one", "{'spec':{'containers':[{'name':'a','image':'1','ports':[{'containerPort':80}]}]}}", false));
	same_owners(&story,
		"{'one:Apply':{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'.':{},'f:name':{},'f:image':{},'f:ports':{"
		"'k:{\\'containerPort\\':80,\\'protocol\\':\\'TCP\\'}':{'.':{},'f:containerPort':{}}}}}}}}");
	assert_true(apply_with(&story, "two", "{'spec':{'containers':[{'name':'side','image':'s'}]}}", false));
	assert_int_equal(stint_json_count(stint_json_at(story.live, "spec", "containers")), 2);
	assert_false(apply_with(&story, "two", "{'spec':{'containers':[{'name':'a','image':'2'}]}}", false));
	refuse_status(story.status, 409, ".spec.containers[name=\"a\"].image", NULL);
	assert_true(apply_with(&story, "two", "{}", false));
	assert_int_equal(stint_json_count(stint_json_at(story.live, "spec", "containers")), 1);
}

static void applied_items_stand_in_the_order_they_were_applied_in(void **state)
{
	auto_story story = begin(state, "v1", "Pod");
	static const struct {
		const char *applied, *names;
	} steps[] = {
		{"{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}", "ab"},
		{"{'spec':{'containers':[{'name':'c'},{'name':'b'},{'name':'a'}]}}", "cba"},
		{"{'spec':{'containers':[{'name':'a'},{'name':'d'},{'name':'c'}]}}", "adc"},
	};
	for (size_t i = 0; i < STINT_COUNT(steps); i++) {
		assert_true(apply_with(&story, "one", steps[i].applied, false));
		stint_auto_buf names = {0};
		stint_json_each(container, stint_json_at(story.live, "spec", "containers"))
			stint_buf_puts(&names, stint_json_string_at(container, "name"));
		assert_string_equal(names.data, steps[i].names);
	}
}

static void atomic_fields_change_hands_as_a_whole(void **state)
{
	auto_story story = begin(state, "v1", "Pod");
	assert_true(apply_with(&story, "one", "{'spec':{'nodeSelector':{'a':'1'},'tolerations':[{'key':'k'}]}}", false));
	assert_false(apply_with(&story, "two", "{'spec':{'nodeSelector':{'b':'1'}}}", false));
	refuse_status(story.status, 409, ".spec.nodeSelector", NULL);
	assert_true(apply_with(&story, "two", "{'spec':{'nodeSelector':{'b':'1'}}}", true));
	same_json(stint_json_at(story.live, "spec", "nodeSelector"), "{'b':'1'}");
}

static void what_others_defaulted_survives_a_reapply(void **state)
{
	auto_story story = begin(state, "apps/v1", "Deployment");
	assert_true(apply_with(&story, "one", "{'spec':{'replicas':2,'strategy':{'rollingUpdate':{'maxSurge':1}}}}", false));
	assert_true(apply_with(&story, "one", "{'spec':{'replicas':2}}", false));
	same_json(stint_json_at(story.live, "spec", "strategy"),
		"{'type':'RollingUpdate','rollingUpdate':{'maxSurge':'25%','maxUnavailable':'25%'}}");
	update(&story, "scaler", "scale", "{'spec':{'replicas':5}}");
	assert_false(apply_with(&story, "one", "{'spec':{'replicas':2}}", false));
	refuse_status(story.status, 409, ".spec.replicas", "conflict with \"scaler\" with subresource \"scale\" using apps/v1");
	assert_true(apply_with(&story, "one", "{'spec':{'paused':true}}", false));
	assert_int_equal(stint_json_int_or(stint_json_at(story.live, "spec", "replicas"), 0), 5);
}

static void the_same_apply_twice_changes_nothing(void **state)
{
	auto_story story = begin(state, "apps/v1", "Deployment");
	static const char config[] = "{'metadata':{'labels':{'a':'b'}},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'spec':{"
				     "'containers':[{'name':'c','image':'i:1','resources':{'limits':{'cpu':'500m'}}}]}}}}";
	assert_true(apply_with(&story, "one", config, false));
	stint_auto_json *before = stint_json_dup(story.live);
	assert_true(apply_with(&story, "one", config, false));
	assert_true(stint_json_equal(before, story.live));
}

static void an_object_of_unknown_past_belongs_to_whoever_came_before(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	story.live = body_of(&story, "{'data':{'x':'1'}}");
	assert_false(apply_with(&story, "one", "{'data':{'x':'2'}}", false));
	refuse_status(story.status, 409, ".data.x", "conflict with \"before-first-apply\" using v1");
	assert_true(apply_with(&story, "one", "{'data':{'x':'1'}}", false));
	same_owners(&story, "{'before-first-apply:Update':{'f:data':{'.':{},'f:x':{}}},'one:Apply':{'f:data':{'f:x':{}}}}");
}

static void kubectl_takes_over_what_it_applied_on_the_client_side(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	update(&story, "kubectl-client-side-apply", NULL,
		"{'data':{'x':'1'},'metadata':{'annotations':{'kubectl.kubernetes.io/last-applied-configuration':"
		"'{\\'apiVersion\\':\\'v1\\',\\'kind\\':\\'ConfigMap\\',\\'data\\':{\\'x\\':\\'1\\'}}'}}}");
	assert_false(apply_with(&story, "other", "{'data':{'x':'2'}}", false));
	assert_true(apply_with(&story, "kubectl", "{'data':{'x':'2'}}", false));
}

static void many_updaters_are_put_together(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	for (int i = 0; i < 15; i++) {
		stint_autofree char *manager = stint_format("m%02d", i);
		stint_autofree char *merge = stint_format("{'data':{'k%02d':'1'}}", i);
		update(&story, manager, NULL, merge);
	}
	const struct stint_json *record = stint_json_at(story.live, "metadata", "managedFields");
	assert_int_equal(stint_json_count(record), 10);
	assert_string_equal(stint_json_string_at(stint_json_first(record), "manager"), "ancient-changes");
}

static void a_configuration_that_brings_a_record_is_refused(void **state)
{
	auto_story story = begin(state, "v1", "ConfigMap");
	assert_false(apply_with(&story, "one", "{'metadata':{'managedFields':[]}}", false));
	refuse_status(story.status, 400, NULL, "metadata.managedFields must be nil");
}

/* With a search for each field it takes minutes, while nobody else is served. */
static void a_record_of_many_fields_is_kept_in_no_time(void **state)
{
	enum { KEYS = 40000 };
	const struct stint_kind *kind = kind_of(state, "v1", "ConfigMap");
	struct stint_json *before = NULL;
	int64_t started = stint_monotonic_ms();
	for (int turn = 0; turn < 3; turn++) {
		const struct stint_writer writer = {.manager = turn == 1 ? "two" : "one", .time = "2026-01-01T00:00:00Z"};
		struct stint_json *now = before ? stint_json_dup(before) : stint_json_new_object();
		stint_json_remove(now, "data");
		struct stint_json *data = stint_json_ensure_object(now, "data");
		for (int i = 0; i < KEYS; i++) {
			stint_autofree char *key = stint_format("key-%d", turn < 2 ? i : KEYS - i); /* the last turn comes the other way */
			stint_json_add(data, key, stint_json_new_int(turn));
		}
		stint_schema_track(schema_of(state), kind, before, now, &writer);
		stint_json_free(before);
		before = now;
	}
	assert_int_equal(stint_json_count(stint_json_at(before, "metadata", "managedFields")), 1);
	stint_json_free(before);
	assert_true(stint_monotonic_ms() - started < 40000);
}

/* Each env variable is an item of a list that is kept by its names. */
static void long_lists_are_applied_in_no_time(void **state)
{
	enum { VARIABLES = 6000 };
	auto_story story = begin(state, "v1", "Pod");
	int64_t started = stint_monotonic_ms();
	for (int turn = 0; turn < 3; turn++) {
		stint_auto_buf text = {0};
		stint_buf_puts(&text, "{'spec':{'containers':[{'name':'c','env':[");
		for (int i = 0; i < VARIABLES; i++)
			stint_buf_printf(&text, "%s{'name':'V%d','value':'%d'}", i ? "," : "", i, turn);
		stint_buf_puts(&text, "]}]}}");
		assert_true(apply_with(&story, "one", text.data, false));
	}
	assert_true(stint_monotonic_ms() - started < 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_applier_owns_what_it_says_and_what_it_drops_goes),
		cmocka_unit_test(equal_values_are_shared_and_survive_one_owner),
		cmocka_unit_test(anothers_value_is_a_conflict_unless_forced),
		cmocka_unit_test(several_conflicts_are_told_by_manager),
		cmocka_unit_test(an_update_takes_what_it_changes_and_gives_back_what_it_removes),
		cmocka_unit_test(a_status_write_owns_fields_of_its_own),
		cmocka_unit_test(items_of_keyed_lists_are_owned_one_by_one),
		cmocka_unit_test(applied_items_stand_in_the_order_they_were_applied_in),
		cmocka_unit_test(atomic_fields_change_hands_as_a_whole),
		cmocka_unit_test(what_others_defaulted_survives_a_reapply),
		cmocka_unit_test(the_same_apply_twice_changes_nothing),
		cmocka_unit_test(an_object_of_unknown_past_belongs_to_whoever_came_before),
		cmocka_unit_test(kubectl_takes_over_what_it_applied_on_the_client_side),
		cmocka_unit_test(many_updaters_are_put_together),
		cmocka_unit_test(a_configuration_that_brings_a_record_is_refused),
		cmocka_unit_test(a_record_of_many_fields_is_kept_in_no_time),
		cmocka_unit_test(long_lists_are_applied_in_no_time),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
