/*
 * Measures the operations of one mount: for each, the median and the 99th percentile of ROUNDS calls in nanoseconds, as JSON.
 *
 *   cc -O2 -o fuse-client fuse-client.c
 *   ./fuse-client CPU ROUNDS DIRECT VALUE CACHED      (paths of three attributes)
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *direct, *value, *cached;
static int direct_file, cached_file;
static char buffer[4096];

static void pread_direct(void)
{
	if (pread(direct_file, buffer, sizeof(buffer), 0) <= 0)
		err(1, "pread %s", direct);
}

static void read_whole(const char *path)
{
	int file = open(path, O_RDONLY);

	if (file < 0 || read(file, buffer, sizeof(buffer)) <= 0)
		err(1, "read %s", path);
	close(file);
}

static void open_read_close(void)
{
	read_whole(direct);
}

static void open_write_close(void)
{
	int file = open(value, O_WRONLY | O_TRUNC);

	if (file < 0 || write(file, "66\n", 3) != 3)
		err(1, "write %s", value);
	close(file);
}

static void cached_pread(void)
{
	if (pread(cached_file, buffer, sizeof(buffer), 0) <= 0)
		err(1, "pread %s", cached);
}

static void cached_open_read_close(void)
{
	read_whole(cached);
}

static int compare(const void *left, const void *right)
{
	long a = *(const long *)left, b = *(const long *)right;

	return a < b ? -1 : a > b;
}

static void measure(const char *name, void (*operation)(void), int rounds, const char *separator)
{
	long *times = malloc(sizeof(long) * rounds);
	struct timespec before, after;

	for (int round = 0; round < rounds / 10 + 1; round++)
		operation();
	for (int round = 0; round < rounds; round++) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		operation();
		clock_gettime(CLOCK_MONOTONIC, &after);
		times[round] = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
	}
	qsort(times, rounds, sizeof(long), compare);
	printf("%s\"%s\":{\"median\":%ld,\"p99\":%ld}", separator, name, times[rounds / 2], times[rounds / 100 * 99]);
	free(times);
}

int main(int argc, char *argv[])
{
	cpu_set_t set;
	int rounds;

	if (argc != 6)
		errx(2, "usage: fuse-client CPU ROUNDS DIRECT VALUE CACHED");
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
	rounds = atoi(argv[2]);
	direct = argv[3];
	value = argv[4];
	cached = argv[5];
	direct_file = open(direct, O_RDONLY);
	cached_file = open(cached, O_RDONLY);
	if (direct_file < 0 || cached_file < 0)
		err(1, "open");
	measure("pread", pread_direct, rounds, "{");
	measure("open-read-close", open_read_close, rounds, ",");
	measure("open-write-close", open_write_close, rounds, ",");
	measure("cached-pread", cached_pread, rounds, ",");
	measure("cached-open-read-close", cached_open_read_close, rounds, ",");
	printf("}\n");
	return 0;
}
