# The usual targets, for those whose fingers know them; script/ does the work.
#   make                          what is missing is installed (root or sudo), and all is built
#   make install PREFIX=/usr      DESTDIR=… puts it elsewhere
#   make check                    the tests, in the normal build
#   make deb                      Debian packages
PREFIX ?= /usr/local
BUILD ?= build

all:
	script/setup
	script/build $(BUILD) --prefix=$(PREFIX)

# Nothing is compiled here: as root it would leave files of root's in the build folder.
install:
	meson install -C $(BUILD) --no-rebuild --quiet

check:
	script/test --fast

deb:
	script/package

clean:
	rm -rf $(BUILD)

.PHONY: all install check deb clean
