/*
 * The yardstick: the smallest file system that libfuse 3 serves with the same flags as ours, on its low-level interface, one thread.
 * Four files: `direct` (read-only), `value` (writable, direct), `cached` (read-only, kept by the kernel), and a directory around them.
 *
 *   cc -O2 -o fuse-reference fuse-reference.c $(pkg-config --cflags --libs fuse3)
 *   ./fuse-reference -f MOUNT-POINT
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER 2147483647.0

static char value[4097] = "0\n";
static const char *const names[] = { NULL, NULL, "direct", "value", "cached" };
static const char *const texts[] = { NULL, NULL, "0x00000042\n", value, "0x00000042\n" };
enum { DIRECT = 2, VALUE = 3, CACHED = 4, LAST = CACHED };

static void describe(fuse_ino_t ino, struct stat *out)
{
	memset(out, 0, sizeof(*out));
	out->st_ino = ino;
	out->st_nlink = 1;
	out->st_blksize = 4096;
	out->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : ino == VALUE ? S_IFREG | 0644 : S_IFREG | 0444;
	if (ino != FUSE_ROOT_ID)
		out->st_size = ino == CACHED ? strlen(texts[CACHED]) : 4096;
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .attr_timeout = FOREVER, .entry_timeout = FOREVER };

	for (fuse_ino_t ino = DIRECT; parent == FUSE_ROOT_ID && ino <= LAST; ino++) {
		if (strcmp(name, names[ino]))
			continue;
		entry.ino = ino;
		describe(ino, &entry.attr);
		fuse_reply_entry(request, &entry);
		return;
	}
	fuse_reply_err(request, ENOENT);
}

static void do_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	struct stat out;

	(void)file;
	describe(ino, &out);
	fuse_reply_attr(request, &out, FOREVER);
}

static void do_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	if ((file->flags & O_ACCMODE) != O_RDONLY && ino != VALUE) {
		fuse_reply_err(request, EACCES);
		return;
	}
	file->fh = ino;
	file->direct_io = ino != CACHED;
	file->keep_cache = ino == CACHED;
	file->noflush = 1;
	fuse_reply_open(request, file);
}

static void do_read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *file)
{
	size_t length = strlen(texts[ino]);
	size_t left = (size_t)offset < length ? length - offset : 0;

	(void)file;
	fuse_reply_buf(request, texts[ino] + (left ? offset : 0), left < size ? left : size);
}

static void do_write(fuse_req_t request, fuse_ino_t ino, const char *data, size_t size, off_t offset, struct fuse_file_info *file)
{
	size_t taken = size < 4096 ? size : 4096;

	(void)ino, (void)offset, (void)file;
	memcpy(value, data, taken);
	value[taken] = 0;
	fuse_reply_write(request, taken);
}

static void do_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	(void)ino, (void)file;
	fuse_reply_err(request, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.getattr = do_getattr,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.release = do_release,
};

int main(int argc, char *argv[])
{
	struct fuse_args arguments = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts options;
	struct fuse_session *session;

	if (fuse_parse_cmdline(&arguments, &options) || !options.mountpoint)
		return 2;
	session = fuse_session_new(&arguments, &operations, sizeof(operations), NULL);
	if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, options.mountpoint))
		return 1;
	fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return 0;
}
