#include "lab/cpio.h"

#include <sys/stat.h>

#include <cstdio>
#include <utility>

namespace hap::lab {
namespace {

void pad(std::string& bytes) {
  bytes.append((4 - bytes.size() % 4) % 4, '\0');
}

}  // namespace

void CpioWriter::add(const std::string& path, unsigned mode, std::string_view content, unsigned major,
                     unsigned minor) {
  // magic, then thirteen fields of eight hexadecimal digits: inode, mode, uid, gid, links, time, size,
  // device (major, minor), device it stands for (major, minor), length of the name with its NUL, check sum.
  char header[111];
  std::snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++inode_,
                mode, 0U, 0U, 1U, 0U, static_cast<unsigned>(content.size()), 0U, 0U, major, minor,
                static_cast<unsigned>(path.size() + 1), 0U);
  bytes_ += header;
  bytes_ += path;
  bytes_ += '\0';
  pad(bytes_);
  bytes_ += content;
  pad(bytes_);
}

void CpioWriter::add_folder(const std::string& path, unsigned permissions) {
  add(path, S_IFDIR | permissions, {});
}

void CpioWriter::add_file(const std::string& path, std::string_view content, unsigned permissions) {
  add(path, S_IFREG | permissions, content);
}

void CpioWriter::add_link(const std::string& path, const std::string& target) {
  add(path, S_IFLNK | 0777, target);
}

void CpioWriter::add_character_device(const std::string& path, unsigned major, unsigned minor,
                                      unsigned permissions) {
  add(path, S_IFCHR | permissions, {}, major, minor);
}

std::string CpioWriter::finish() {
  add("TRAILER!!!", 0, {});
  return std::exchange(bytes_, {});
}

}  // namespace hap::lab
