"""Personal data (个人信息): what is held of a person, where, why and how long; how it is exported and erased."""
