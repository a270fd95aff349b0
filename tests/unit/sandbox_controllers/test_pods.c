/* The book of pods: orphans are found by a label of theirs, as long as they have it and no controller. */
#include "core/sandbox/controllers/pods.h"

#include "tests/unit/sandbox_controllers/scene.h"

struct scene {
	struct pod_book *book;
	int version;
};

static void learn(struct scene *scene, const char *name, const char *labels, const char *owner)
{
	stint_autofree char *text = stint_format(
		"{'metadata':{'namespace':'lab','name':'%s','uid':'%s','resourceVersion':'%d','labels':%s,'ownerReferences':[%s%s%s]}}",
		name, name, ++scene->version, labels, owner ? "{'controller':true,'kind':'ReplicaSet','name':'r','uid':'" : "",
		owner ? owner : "", owner ? "'}" : "");
	stint_auto_json *pod = json_of(text);
	pod_book_learn(scene->book, pod);
}

static int by_name(const void *left, const void *right)
{
	const struct pod_facts *const *a = left, *const *b = right;
	return strcmp((*a)->name, (*b)->name);
}

static void expect(const struct scene *scene, const char *space, const char *selector, const char *names)
{
	STINT_CLEANUP(pod_list_free) struct pod_list found = {0};
	stint_auto_json *json = json_of(selector);
	stint_auto_buf text = {0};
	pod_book_orphans(scene->book, space, json, &found);
	if (found.count > 1)
		qsort(found.items, found.count, sizeof(found.items[0]), by_name);
	for (size_t i = 0; i < found.count; i++)
		stint_buf_printf(&text, "%s%s", i ? " " : "", found.items[i]->name);
	stint_buf_puts(&text, "");
	assert_string_equal(text.data, names);
}

static void orphans_are_found_by_a_label(void **state)
{
	struct scene scene = {.book = pod_book_new()};
	(void)state;
	learn(&scene, "a", "{'app':'web','tier':'x'}", NULL);
	learn(&scene, "b", "{'app':'db'}", NULL);
	learn(&scene, "c", "{'app':'web'}", "r-1");
	learn(&scene, "d", "{}", NULL);
	expect(&scene, "lab", "{'matchLabels':{'app':'web'}}", "a");
	expect(&scene, "lab", "{'matchLabels':{'tier':'x'}}", "a");
	expect(&scene, "lab", "{'matchExpressions':[]}", "a b d");
	expect(&scene, "other", "{'matchLabels':{'app':'web'}}", "");
	pod_book_free(scene.book);
}

static void an_orphan_is_where_its_labels_are_now(void **state)
{
	struct scene scene = {.book = pod_book_new()};
	(void)state;
	learn(&scene, "a", "{'app':'web'}", NULL);
	learn(&scene, "a", "{'app':'db'}", NULL);
	expect(&scene, "lab", "{'matchLabels':{'app':'web'}}", "");
	expect(&scene, "lab", "{'matchLabels':{'app':'db'}}", "a");
	learn(&scene, "a", "{'app':'db'}", "r-1");
	expect(&scene, "lab", "{'matchLabels':{'app':'db'}}", "");
	learn(&scene, "a", "{'app':'web'}", NULL);
	expect(&scene, "lab", "{'matchLabels':{'app':'web'}}", "a");
	pod_book_forget(scene.book, "a");
	expect(&scene, "lab", "{'matchLabels':{'app':'web'}}", "");
	expect(&scene, "lab", "{}", "");
	pod_book_free(scene.book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orphans_are_found_by_a_label),
		cmocka_unit_test(an_orphan_is_where_its_labels_are_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
