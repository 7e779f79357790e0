from django.contrib.auth import authenticate
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..errors import WrongCredentialsError
from ..security import create_access_token
from ..serializers import CredentialsSerializer


class TokenView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate(request, **credentials.validated_data)
        if user is None:
            raise WrongCredentialsError("The email address or the password is wrong.")
        token = create_access_token(user.pk)
        return Response({"access_token": token, "token_type": "bearer"})
