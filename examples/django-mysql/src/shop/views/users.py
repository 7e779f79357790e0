from http import HTTPStatus

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..errors import conflict
from ..models import User
from ..security import AuthenticatedRequest
from ..serializers import NewUserSerializer, UserSerializer


class UserListView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        new = NewUserSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        email = new.validated_data["email"]
        with conflict(f"{email} is already registered."):
            user = User.objects.create_user(**new.validated_data)
        return Response(UserSerializer(user).data, HTTPStatus.CREATED)


class MeView(APIView):
    def get(self, request: AuthenticatedRequest) -> Response:
        return Response(UserSerializer(request.user).data)
