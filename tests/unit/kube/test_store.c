/* The set that a reflector keeps: whatever collides, what was put in is found until it is taken out, and nothing else is. */
#include "core/kube/store.h"
#include "tests/unit/test.h"

enum { CHAIN = 6 };

/* The set compares names by their address: any byte of this is one. */
static const char names[4096];

/* Where that name goes in a set that is empty. */
static size_t home_of(const char *name, size_t *slots_count)
{
	struct store store = {0};
	struct stint_object object = {.name = name, .refs = 1};
	store_add(&store, &object, 0);
	const size_t at = (size_t)(store_find(&store, NULL, name) - store.slots);
	*slots_count = store.slots_count;
	free(store.slots); /* the object is ours: no count of it ends */
	return at;
}

/* CHAIN objects that go into a run from `home` on: the first half all want that place, the others the one after it. */
static void make_chain(struct stint_object *objects, size_t home)
{
	size_t first = 0, second = CHAIN / 2, slots_count;
	for (size_t i = 0; i < sizeof(names) && (first < CHAIN / 2 || second < CHAIN); i++) {
		const size_t at = home_of(&names[i], &slots_count);
		if (at == home && first < CHAIN / 2)
			objects[first++] = (struct stint_object){.name = &names[i], .refs = 1};
		else if (at == ((home + 1) & (slots_count - 1)) && second < CHAIN)
			objects[second++] = (struct stint_object){.name = &names[i], .refs = 1};
	}
	assert_true(first == CHAIN / 2 && second == CHAIN);
}

static void expect_known(const struct store *store, const struct stint_object *objects, unsigned known)
{
	for (size_t i = 0; i < CHAIN; i++) {
		const struct store_slot *slot = store_find(store, NULL, objects[i].name);
		if (known >> i & 1)
			assert_ptr_equal(slot ? slot->object : NULL, &objects[i]);
		else
			assert_null(slot);
	}
}

/* Puts all in, takes out two, and looks for each after every step. */
static void take_two(struct stint_object *objects, size_t first, size_t second)
{
	struct store store = {0};
	unsigned known = (1u << CHAIN) - 1;
	for (size_t i = 0; i < CHAIN; i++)
		store_add(&store, &objects[i], 1);
	expect_known(&store, objects, known);
	assert_ptr_equal(store_take(&store, store_find(&store, NULL, objects[first].name)), &objects[first]);
	known &= ~(1u << first);
	expect_known(&store, objects, known);
	store_take(&store, store_find(&store, NULL, objects[second].name));
	known &= ~(1u << second);
	expect_known(&store, objects, known);
	assert_int_equal(store.used, CHAIN - 2);
	free(store.slots);
}

static void what_remains_is_found_whichever_of_a_run_is_taken_out(void **state)
{
	const size_t homes[] = {5, 62, 63}; /* the last two wrap around the end of the first 64 places */
	(void)state;
	for (size_t h = 0; h < STINT_COUNT(homes); h++) {
		struct stint_object objects[CHAIN];
		make_chain(objects, homes[h]);
		for (size_t first = 0; first < CHAIN; first++) {
			for (size_t second = 0; second < CHAIN; second++) {
				if (first != second)
					take_two(objects, first, second);
			}
		}
	}
}

static void the_same_name_in_another_namespace_is_another_object(void **state)
{
	struct stint_object here = {.space = &names[0], .name = &names[2], .refs = 1},
			    there = {.space = &names[1], .name = &names[2], .refs = 1};
	struct store store = {0};
	(void)state;
	store_add(&store, &here, 1);
	assert_null(store_find(&store, &names[1], &names[2]));
	store_add(&store, &there, 1);
	store_take(&store, store_find(&store, &names[0], &names[2]));
	assert_ptr_equal(store_find(&store, &names[1], &names[2])->object, &there);
	free(store.slots);
}

/* 200 objects: the set grows several times on the way. */
static void a_set_that_grew_has_everything_once(void **state)
{
	struct stint_object objects[200];
	struct store store = {0};
	size_t at = 0, seen = 0;
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(objects); i++) {
		objects[i] = (struct stint_object){.name = &names[i], .refs = 1};
		store_add(&store, &objects[i], 7);
	}
	for (size_t i = 0; i < STINT_COUNT(objects); i++)
		assert_int_equal(store_find(&store, NULL, &names[i])->round, 7);
	while (store_next(&store, &at))
		seen++;
	assert_int_equal(seen, STINT_COUNT(objects));
	assert_int_equal(store.used, seen);
	free(store.slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_remains_is_found_whichever_of_a_run_is_taken_out),
		cmocka_unit_test(the_same_name_in_another_namespace_is_another_object),
		cmocka_unit_test(a_set_that_grew_has_everything_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
