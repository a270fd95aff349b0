/* What volumes and config maps ask of a pod's place: it waits for what is not there, in words, and goes where its volumes can be had. */
#include "cluster.h"

#include <stint/journal.h>

#define CLASS(name, mode, provisioner)                                                                                                   \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"s-" name "\"},\"provisioner\":\"" provisioner "\",\"volumeBindingMode\":\"" mode \
	"\"}"
#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)
#define WAITS "WaitForFirstConsumer"
#define STATIC "kubernetes.io/no-provisioner"

static void claim(struct cluster *c, const char *name, const char *annotations, const char *spec, const char *status)
{
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"c-%s\",\"resourceVersion\":\"7\",\"annotations\":{%s}},"
		"\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}%s},\"status\":{%s}}",
		name, name, annotations, spec, status);
	cluster_put(c, STINT_KIND_VOLUME_CLAIM, NULL, NULL, json);
}

static void bound_claim(struct cluster *c, const char *name, const char *volume)
{
	stint_autofree char *spec = stint_format(",\"volumeName\":\"%s\"", volume);
	claim(c, name, "\"pv.kubernetes.io/bind-completed\":\"yes\"", spec, "\"phase\":\"Bound\"");
}

static void waiting_claim(struct cluster *c, const char *name, const char *class)
{
	stint_autofree char *spec = stint_format(",\"storageClassName\":\"%s\"", class);
	claim(c, name, "", spec, "\"phase\":\"Pending\"");
}

/* node: where it is; "": anywhere. */
static void volume(struct cluster *c, const char *name, const char *class, const char *gi, const char *node)
{
	stint_autofree char *affinity =
		stint_format(",\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\","
			     "\"operator\":\"In\",\"values\":[\"%s\"]}]}]}}",
			node);
	stint_autofree char *json =
		stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"v-%s\"},\"spec\":{\"storageClassName\":\"%s\",\"accessModes\":["
			     "\"ReadWriteOnce\"],\"capacity\":{\"storage\":\"%sGi\"}%s},\"status\":{\"phase\":\"Available\"}}",
			name, name, class, gi, node[0] ? affinity : "");
	cluster_put(c, STINT_KIND_VOLUME, NULL, NULL, json);
}

static void pod_with(struct cluster *c, const char *name, const char *claims)
{
	stint_auto_buf spec = {0};
	stint_buf_puts(&spec, "\"volumes\":[");
	for (const char *at = claims; *at; at += strspn(at, ",")) {
		const size_t length = strcspn(at, ",");
		stint_buf_printf(&spec, "%s{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"%.*s\"}}", at == claims ? "" : ",",
			(int)length, at);
		at += length;
	}
	stint_buf_puts(&spec, "]");
	cluster_pod(c, name, "", spec.data, "");
}

static const char *node_of(struct cluster *c, const char *name)
{
	struct stint_pod_view pod;
	struct stint_node_view node;
	const uint32_t handle = cluster_find(c, name)->handle;
	if (!stint_engine_pod_view(c->engine, handle, &pod) || !stint_engine_node_view(c->engine, pod.node, &node))
		return "";
	return node.name;
}

static void expect_lack(struct cluster *c, const char *name, const char *word, const char *sentence)
{
	const struct stint_mirror_pod *pod = cluster_find(c, name);
	struct stint_explanation explanation;
	assert_int_equal(pod->hold, STINT_HOLD_VOLUMES);
	stint_explain(c->engine, pod, &explanation);
	assert_string_equal(explanation.word, word);
	assert_non_null(strstr(explanation.sentence, sentence));
	assert_false(explanation.never);
	stint_explanation_clear(&explanation);
}

static struct cluster *two_nodes(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_node(c, "n2", 8, true);
	return c;
}

static void a_claim_that_does_not_exist_is_waited_for_and_found(void **state)
{
	struct cluster *c = two_nodes(state);
	pod_with(c, "a", "data");
	assert_int_equal(cluster_cycle(c), 0);
	expect_lack(c, "a", "VolumeClaimDoesNotExist", "persistent volume claim \"data\" does not exist");
	volume(c, "disk", "", "1", "n2");
	bound_claim(c, "data", "disk");
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "a"), "n2");
}

static void a_claim_that_nobody_has_bound_is_waited_for(void **state)
{
	static const struct {
		const char *class, *object, *sentence;
	} cases[] = {
		{"", NULL, "has no volume yet: it is tried"},
		{"fast", CLASS("fast", "Immediate", "x"), "has no volume yet of storage class \"fast\""},
		{"manual", NULL, "has no volume yet of storage class \"manual\""},
		{"local", CLASS("local", WAITS, STATIC), "no free one of storage class \"local\""},
	};
	struct cluster *c = two_nodes(state);
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		if (cases[i].object)
			cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, cases[i].object);
		waiting_claim(c, "data", cases[i].class);
		pod_with(c, "a", "data");
		assert_int_equal(cluster_cycle(c), 0);
		expect_lack(c, "a", "VolumeClaimNotBound", cases[i].sentence);
	}
	volume(c, "disk", "local", "1", "n2");
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "a"), "n2");
}

static void a_claim_that_is_of_no_use_says_so(void **state)
{
	struct cluster *c = two_nodes(state);
	claim(c, "data", "\"pv.kubernetes.io/bind-completed\":\"yes\"", ",\"volumeName\":\"disk\"", "\"phase\":\"Lost\"");
	pod_with(c, "a", "data");
	assert_int_equal(cluster_cycle(c), 0);
	expect_lack(c, "a", "VolumeClaimUnusable", "has lost its volume \"disk\"");
	bound_claim(c, "data", "disk");
	assert_int_equal(cluster_cycle(c), 0);
	expect_lack(c, "a", "VolumeDoesNotExist", "volume \"disk\" of persistent volume claim \"data\"");
	cluster_pod(c, "b", "", "\"volumes\":[{\"name\":\"data\",\"ephemeral\":{\"volumeClaimTemplate\":{}}}]", "");
	claim(c, "b-data", "", "", "");
	assert_int_equal(cluster_cycle(c), 0);
	expect_lack(c, "b", "VolumeClaimUnusable", "\"b-data\" is somebody else's");
}

static void a_first_consumer_goes_where_a_volume_is_or_can_be_made(void **state)
{
	struct cluster *c = two_nodes(state);
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	volume(c, "small", "local", "0", "n1");
	volume(c, "other", "slow", "1", "n1");
	volume(c, "disk", "local", "2", "n2");
	waiting_claim(c, "data", "local");
	pod_with(c, "a", "data");
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "a"), "n2");
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL,
		"{\"metadata\":{\"name\":\"made\",\"uid\":\"s\"},\"provisioner\":\"x\",\"volumeBindingMode\":\"" WAITS
		"\",\"allowedTopologies\":[{\"matchLabelExpressions\":[{\"key\":\"nvidia.com/gpu.count\",\"values\":[\"3\",\"1\"]}]}]}");
	waiting_claim(c, "scratch", "made");
	pod_with(c, "b", "scratch");
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_explanation explanation;
	stint_explain(c->engine, cluster_find(c, "b"), &explanation);
	assert_non_null(strstr(explanation.sentence, "2 node(s) didn't find available persistent volumes to bind"));
	assert_false(explanation.never);
	stint_explanation_clear(&explanation);
	cluster_node(c, "n3", 1, true);
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "b"), "n3");
}

static void two_claims_need_two_volumes(void **state)
{
	struct cluster *c = two_nodes(state);
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	volume(c, "d1", "local", "1", "n1");
	waiting_claim(c, "x", "local");
	waiting_claim(c, "y", "local");
	pod_with(c, "a", "x,y");
	assert_int_equal(cluster_cycle(c), 0);
	volume(c, "d2", "local", "1", "n2");
	assert_int_equal(cluster_cycle(c), 0);
	volume(c, "d3", "local", "1", "n2");
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "a"), "n2");
}

static void a_volume_that_is_being_given_is_nobody_elses(void **state)
{
	struct cluster *c = two_nodes(state);
	struct stint_volumes *volumes = stint_mirror_volumes(c->mirror);
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	volume(c, "disk", "local", "1", "n1");
	waiting_claim(c, "data", "local");
	waiting_claim(c, "more", "local");
	struct stint_object *disk = cluster_decode(c, STINT_KIND_VOLUME, NULL, NULL, "{\"metadata\":{\"name\":\"disk\"}}");
	stint_volumes_assume(volumes, stint_volumes_claim(volumes, "default", "data"), stint_volume_of(disk), "n1");
	pod_with(c, "a", "more");
	assert_int_equal(cluster_cycle(c), 0);
	expect_lack(c, "a", "VolumeClaimNotBound", "no free one");
	pod_with(c, "b", "data"); /* another pod of the same claim goes where that is */
	assert_int_equal(cluster_cycle(c), 1);
	assert_string_equal(node_of(c, "b"), "n1");
	stint_volumes_release(volumes, stint_volumes_claim(volumes, "default", "data"));
	stint_mirror_volumes_changed(c->mirror);
	assert_int_equal(cluster_cycle(c), 1);
	stint_object_unref(disk);
}

static void a_config_map_that_does_not_exist_is_waited_for_unless_it_is_optional(void **state)
{
	static const char *const references[] = {
		"\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"settings\"%s}}]",
		"\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"settings\"%s}}]}}]",
		"\"initContainers\":[{\"name\":\"i\",\"env\":[{\"name\":\"E\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"settings\"%s}}"
		"}]}]",
		"\"initContainers\":[{\"name\":\"i\",\"envFrom\":[{\"configMapRef\":{\"name\":\"settings\"%s}}]}]",
	};
	static const char map[] = "{\"metadata\":{\"namespace\":\"default\",\"name\":\"settings\",\"uid\":\"m\"},\"data\":{\"a\":\"b\"}}";
	struct cluster *c = two_nodes(state);
	cluster_put(c, STINT_KIND_CONFIG_MAP, NULL, NULL, "{\"metadata\":{\"namespace\":\"other\",\"name\":\"settings\",\"uid\":\"o\"}}");
	for (size_t i = 0; i < STINT_COUNT(references); i++) {
		const int before = (int)(strstr(references[i], "%s") - references[i]);
		stint_autofree char *needed = stint_format("%.*s%s", before, references[i], references[i] + before + 2);
		stint_autofree char *optional = stint_format("%.*s,\"optional\":true%s", before, references[i], references[i] + before + 2);
		stint_autofree char *name = stint_format("needs-%zu", i), *relaxed = stint_format("relaxed-%zu", i);
		cluster_pod(c, name, "", needed, "");
		cluster_pod(c, relaxed, "", optional, "");
		assert_int_equal(cluster_cycle(c), 1);
		expect_lack(c, name, "ConfigMapDoesNotExist", "config map \"settings\" does not exist");
		cluster_put(c, STINT_KIND_CONFIG_MAP, NULL, NULL, map);
		assert_int_equal(cluster_cycle(c), 1);
		cluster_remove(c, STINT_KIND_CONFIG_MAP, map);
	}
	cluster_pod(c, "kai", "\"annotations\":{\"runai/shared-gpu-configmap\":\"shared-x\"}",
		"\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"shared-x-0\"}}]", "");
	assert_int_equal(cluster_cycle(c), 1);
}

static void what_cannot_be_seen_holds_nobody_up(void **state)
{
	struct cluster *c = two_nodes(state);
	pod_with(c, "a", "data");
	cluster_pod(c, "b", "", "\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"settings\"}}]", "");
	assert_int_equal(cluster_cycle(c), 0);
	stint_mirror_see(c->mirror, STINT_KIND_CONFIG_MAP, false);
	assert_int_equal(cluster_cycle(c), 1);
	stint_mirror_see(c->mirror, STINT_KIND_VOLUME, false);
	assert_int_equal(cluster_cycle(c), 1);
}

static void pods_whose_volumes_can_be_had_on_the_same_nodes_are_of_one_shape(void **state)
{
	struct cluster *c = two_nodes(state);
	struct stint_engine_stats stats;
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("x%d", i);
		volume(c, name, "", "1", "n2");
		bound_claim(c, name, name);
		pod_with(c, name, name);
	}
	assert_int_equal(cluster_cycle(c), 4);
	stint_engine_measure(c->engine, &stats);
	assert_int_equal(stats.shapes, 1);
}

static void keep(void *user, const char *lines, size_t length)
{
	stint_buf_add(user, lines, length);
}

static void a_journal_of_pods_with_volumes_is_the_same_again(void **state)
{
	struct cluster *c = *state;
	stint_auto_buf lines = {0};
	struct stint_journal *journal = stint_journal_new(c->engine, keep, &lines);
	two_nodes(state);
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	volume(c, "fixed", "", "1", "n2");
	volume(c, "d1", "local", "1", "n1");
	volume(c, "d2", "local", "2", "n2");
	bound_claim(c, "x", "fixed");
	waiting_claim(c, "y", "local");
	pod_with(c, "a", "x");
	pod_with(c, "b", "x,y");
	assert_int_equal(cluster_cycle(c), 2);
	stint_journal_free(journal);
	STINT_CLEANUP(stint_replay_clear) struct stint_replay replay = {0};
	assert_true(stint_journal_replay("cluster", lines.data, lines.length, &replay, NULL));
	assert_non_null(strstr(lines.data, "\"volume\":\"d2\""));
	assert_int_equal(replay.differs, 0);
	assert_int_equal(replay.decisions, 2);
}

static void claims_of_one_form_share_what_they_can_get(void **state)
{
	struct cluster *c = two_nodes(state);
	const struct stint_volumes *volumes = stint_mirror_volumes(c->mirror);
	STINT_CLEANUP(stint_volumes_answer_clear) struct stint_volumes_answer a = {0}, b = {0};
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	volume(c, "small", "local", "0", "n1");
	volume(c, "large", "local", "2", "n1");
	volume(c, "fits", "local", "1", "n2");
	waiting_claim(c, "data-a", "local");
	waiting_claim(c, "data-b", "local");
	pod_with(c, "a", "data-a");
	pod_with(c, "b", "data-b");
	stint_volumes_look_placed(volumes, cluster_find(c, "a")->pod, &a);
	stint_volumes_look_placed(volumes, cluster_find(c, "b")->pod, &b);
	assert_ptr_equal(a.reach->needs[0].choices, b.reach->needs[0].choices);
	assert_int_equal(a.reach->needs[0].choices_count, 2);
	assert_string_equal(a.reach->needs[0].choices[0].volume, "fits");
	stint_volumes_answer_clear(&b);
	volume(c, "fits", "local", "1", ""); /* it is elsewhere now, which those who ask next are told */
	stint_volumes_look_placed(volumes, cluster_find(c, "b")->pod, &b);
	assert_false(a.reach->needs[0].choices[0].anywhere);
	assert_true(b.reach->needs[0].choices[0].anywhere);
}

/* Those of a, b, s and m that the mirror looks at for what has come since it was last asked. */
static void expect_looked_at(struct cluster *c, const char *wanted)
{
	char seen[8] = "";
	size_t count = 0;
	stint_mirror_settle(c->mirror, 0);
	for (const char *name = "absm"; *name; name++) {
		if (cluster_find(c, (char[]){*name, '\0'})->group->dirty)
			seen[count++] = *name;
	}
	while (stint_mirror_take_marked(c->mirror))
		;
	assert_string_equal(seen, wanted);
}

static void only_pods_that_news_of_volumes_concern_are_looked_at(void **state)
{
	struct cluster *c = two_nodes(state);
	struct stint_volumes *volumes = stint_mirror_volumes(c->mirror);
	STINT_CLEANUP(stint_volumes_answer_clear) struct stint_volumes_answer answer = {0};
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("local", WAITS, STATIC));
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("slow", WAITS, STATIC));
	waiting_claim(c, "any", "local");
	waiting_claim(c, "tape", "slow");
	bound_claim(c, "home", "house");
	pod_with(c, "a", "any");
	pod_with(c, "b", "home");
	pod_with(c, "s", "tape");
	pod_with(c, "m", "missing");
	expect_looked_at(c, "absm");
	volume(c, "disk", "local", "1", "n1");
	expect_looked_at(c, "a");
	volume(c, "disk", "local", "1", "n1"); /* nothing new of it */
	expect_looked_at(c, "");
	volume(c, "tiny", "slow", "0", "n1"); /* too small for who waits */
	expect_looked_at(c, "");
	volume(c, "house", "", "1", "n2");
	expect_looked_at(c, "b");
	waiting_claim(c, "missing", "slow");
	expect_looked_at(c, "m");
	cluster_put(c, STINT_KIND_STORAGE_CLASS, NULL, NULL, CLASS("slow", WAITS, "x"));
	expect_looked_at(c, "sm");

	stint_volumes_look_placed(volumes, cluster_find(c, "a")->pod, &answer);
	const struct stint_volume *disk = stint_volume_of(answer.reach->needs[0].choices[0].object);
	stint_volumes_assume(volumes, stint_volumes_claim(volumes, "default", "any"), disk, "n1");
	stint_mirror_volumes_changed(c->mirror);
	expect_looked_at(c, "a");
	stint_volumes_release(volumes, stint_volumes_claim(volumes, "default", "any"));
	stint_mirror_volumes_changed(c->mirror);
	expect_looked_at(c, "a");
	cluster_remove(c, STINT_KIND_VOLUME, "{\"metadata\":{\"name\":\"disk\",\"uid\":\"v-disk\"}}");
	expect_looked_at(c, "a");
	assert_int_equal(cluster_find(c, "a")->hold, STINT_HOLD_VOLUMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(a_claim_that_does_not_exist_is_waited_for_and_found),
		IN_CLUSTER(a_claim_that_nobody_has_bound_is_waited_for),
		IN_CLUSTER(a_claim_that_is_of_no_use_says_so),
		IN_CLUSTER(a_first_consumer_goes_where_a_volume_is_or_can_be_made),
		IN_CLUSTER(two_claims_need_two_volumes),
		IN_CLUSTER(a_volume_that_is_being_given_is_nobody_elses),
		IN_CLUSTER(a_config_map_that_does_not_exist_is_waited_for_unless_it_is_optional),
		IN_CLUSTER(what_cannot_be_seen_holds_nobody_up),
		IN_CLUSTER(a_journal_of_pods_with_volumes_is_the_same_again),
		IN_CLUSTER(pods_whose_volumes_can_be_had_on_the_same_nodes_are_of_one_shape),
		IN_CLUSTER(claims_of_one_form_share_what_they_can_get),
		IN_CLUSTER(only_pods_that_news_of_volumes_concern_are_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
