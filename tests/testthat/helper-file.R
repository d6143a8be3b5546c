# A disk that is full, for those who may write to it: not everybody may everywhere.
full_disk_there <- function() file.access("/dev/full", 2) == 0
