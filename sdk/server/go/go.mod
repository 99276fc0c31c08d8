module example.com/kehu

go 1.21
