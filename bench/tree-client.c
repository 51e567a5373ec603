/* Times file operations on a tree, the mounted one or a copy of it; prints one JSON object.
 *
 *   tree-client read DIR            every readable file below DIR once: open, read, close
 *   tree-client write N F T F2 T2   N times: T to F (timed), then T2 to F2 (not timed)
 *   tree-client appear N L F T F2 T2  N times: T to F until the link L is there (timed), then T2 to F2 until it is gone (not timed)
 *   tree-client watch FILE F T      T to F in the background of reads of FILE: how long the write took, the longest read
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static long files, bytes;

static void read_file(const char *path)
{
	char buffer[4096];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	ssize_t n = read(fd, buffer, sizeof buffer);
	if (n > 0)
		bytes += n;
	files++;
	close(fd);
}

static void read_below(const char *directory)
{
	DIR *dir = opendir(directory);
	if (!dir)
		return;
	struct dirent *entry;
	char path[4096];
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (entry->d_type == DT_DIR)
			read_below(path);
		else if (entry->d_type == DT_REG)
			read_file(path);
	}
	closedir(dir);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return errno;
	int result = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return result;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void write_loop(int count, char **arg)
{
	double *us = malloc(count * sizeof *us);
	int errors = 0;
	for (int i = 0; i < count; i++) {
		double start = now_us();
		errors += write_file(arg[0], arg[1]) != 0;
		us[i] = now_us() - start;
		errors += write_file(arg[2], arg[3]) != 0;
	}
	qsort(us, count, sizeof *us, by_value);
	printf("{\"median_us\":%.1f,\"p99_us\":%.1f,\"errors\":%d}\n", us[count / 2], us[count * 99 / 100], errors);
}

static int exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void appear_loop(int count, char **arg)
{
	double *us = malloc(count * sizeof *us);
	int errors = 0;
	for (int i = 0; i < count; i++) {
		double start = now_us();
		errors += write_file(arg[1], arg[2]) != 0;
		while (!exists(arg[0]) && now_us() - start < 5e6)
			;
		us[i] = now_us() - start;
		errors += write_file(arg[3], arg[4]) != 0;
		while (exists(arg[0]) && now_us() - start < 1e7)
			;
	}
	qsort(us, count, sizeof *us, by_value);
	printf("{\"median_us\":%.1f,\"p99_us\":%.1f,\"errors\":%d}\n", us[count / 2], us[count * 99 / 100], errors);
}

static volatile int written, write_error;
static double write_us;

static void *write_once(void *argument)
{
	char **arg = argument;
	double start = now_us();
	write_error = write_file(arg[0], arg[1]);
	write_us = now_us() - start;
	written = 1;
	return NULL;
}

static void watch(char **arg)
{
	pthread_t writer;
	double longest = 0;
	long reads = 0;
	pthread_create(&writer, NULL, write_once, arg + 1);
	while (!written) {
		double start = now_us();
		read_file(arg[0]);
		double us = now_us() - start;
		if (us > longest)
			longest = us;
		reads++;
		usleep(1000);
	}
	pthread_join(writer, NULL);
	printf("{\"write_us\":%.0f,\"error\":%d,\"reads\":%ld,\"longest_read_us\":%.0f}\n", write_us, write_error, reads, longest);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "read")) {
		double start = now_us();
		read_below(argv[2]);
		printf("{\"us\":%.0f,\"files\":%ld,\"bytes\":%ld}\n", now_us() - start, files, bytes);
	} else if (argc == 7 && !strcmp(argv[1], "write"))
		write_loop(atoi(argv[2]), argv + 3);
	else if (argc == 8 && !strcmp(argv[1], "appear"))
		appear_loop(atoi(argv[2]), argv + 3);
	else if (argc == 5 && !strcmp(argv[1], "watch"))
		watch(argv + 2);
	else
		return 2;
	return 0;
}
